-- Notes activity. ARGV: header, sessions and ages.
if recovering then return answer(-2) end
for i = 1, #ARGV[2], 22 do
  local id, age = parse('>c16I6', ARGV[2], i)
  local rec, at = load(id), max(now - age, 0)
  if rec and rec.act < at then
    activity(rec, at)
    if rec.seat ~= 1 then rec.seat = 2 end
    save(rec)
  end
end
return answer(0)
