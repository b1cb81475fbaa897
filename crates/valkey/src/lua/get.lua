-- Looks sessions up. ARGV: header, sessions.
if recovering then return answer(-2) end
local found = {}
for i = 1, #ARGV[2], 16 do
  local id = sub(ARGV[2], i, i + 15)
  found[#found + 1] = call('HGET', S, id) or reason_of(id)
end
return answer(0, found)
