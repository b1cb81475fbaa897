-- Goes through live sessions, so many in one call. ARGV: header, whose, which, where the last call stopped, figures.
local whose, of, from = ARGV[2], ARGV[3], ARGV[4]
local by_start, holding, inactive, newest, oldest = parse('>BBI6I6I6', ARGV[5])

local ids, next_ = {}, ''
if whose == 'a' then
  local page = call('HSCAN', S, from == '' and '0' or from, 'COUNT', 1000)
  for i = 1, #page[2], 2 do ids[#ids + 1] = page[2][i] end
  next_ = page[1] == '0' and '' or page[1]
else
  local lowest, highest = beginning(of)
  local members = call('ZRANGE', O, from == '' and lowest or '(' .. from, highest, 'BYLEX', 'LIMIT', 0, 1000)
  for i, member in ipairs(members) do ids[i] = sub(member, -16) end
  next_ = #members == 1000 and members[1000] or ''
end

local found = {}
for _, id in ipairs(ids) do
  local rec = load(id)
  local instant = by_start == 1 and parse('>I6', rec.tail) or rec.act
  if instant <= newest and instant >= oldest
    and max(now - rec.act, 0) >= inactive
    and (holding == 0 or (holding == 1) == (rec.seat == 1)) then
    found[#found + 1] = id .. packed(rec)
  end
end
return answer(0, next_, found)
