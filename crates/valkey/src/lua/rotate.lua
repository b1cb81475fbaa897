-- Exchanges a refresh token. ARGV: header, session, its own id, its parent's, figures.
if recovering then return answer(-2) end
local rec = load(ARGV[2])
if not rec then return answer(5, reason_of(ARGV[2])) end
local id, parent = ARGV[3], ARGV[4]
local issued, passive = parse('>I6B', ARGV[5])

-- The rotation table.
local kind, current
if id == rec.cur then
  kind, current = 1, rec.cur
elseif parent == rec.cur or parse('>I4', id) > parse('>I4', rec.cur) then
  if max(now - issued, 0) < race then
    kind, current = 0, parent
  else
    kind, current = 1, id
  end
else
  local family, next_ = { rec.id }, 1
  while family[next_] do
    for _, child in ipairs(kin('c' .. family[next_])) do family[#family + 1] = child end
    next_ = next_ + 1
  end
  for _, member in ipairs(family) do
    local lost = load(member)
    if lost then end_one(lost, 5) end
  end
  return answer(3, fresh)
end

local seat_before, act_before = rec.seat, rec.act
if passive == 1 then
  if rec.seat ~= 1 then rec.seat = 2 end
else
  local refused = sit_again(rec)
  if refused then return refused end
end
if rec.cur ~= current or rec.seat ~= seat_before or rec.act ~= act_before then
  rec.cur = current
  save(rec)
end
return answer(kind, rec.raw or packed(rec))
