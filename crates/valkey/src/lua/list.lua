-- Goes through live sessions, so many in one call. ARGV: header, whose, which, where the last call stopped, figures.
local whose, of, from = ARGV[2], ARGV[3], ARGV[4]
local by_start, holding, inactive, newest, oldest, wanted = parse('>BBI6I6I6I2', ARGV[5])
local ids, next_ = {}, ''

-- All of an index (v those with a seat and z those without, by activity; y all, by start) in its order: after the last
-- call's `instant 6, session id`, those of that instant first.
local function in_order(last_first)
  local index = ({ v = V, z = Z, y = Y })[of]
  if index ~= Y and inactive > 0 then newest = min(newest, now - inactive) end
  local function range(from_at, to_at, ...)
    if last_first then return call('ZRANGE', index, from_at, to_at, 'BYSCORE', 'REV', ...) end
    return call('ZRANGE', index, from_at, to_at, 'BYSCORE', ...)
  end
  local first, to_at = string.format('%.0f', oldest), string.format('%.0f', newest)
  if last_first then first, to_at = to_at, first end
  if from ~= '' then
    local at, last = parse('>I6c16', from)
    at = string.format('%.0f', at)
    for _, id in ipairs(range(at, at)) do
      if id ~= last and before(id, last) == last_first then ids[#ids + 1] = id end
    end
    first = '(' .. at
  end
  local found = range(first, to_at, 'LIMIT', 0, PAGE)
  for _, id in ipairs(found) do ids[#ids + 1] = id end
  local last = #found == PAGE and found[PAGE]
  next_ = last and pack('>I6', call('ZSCORE', index, last)) .. last or ''
end

local is_in_order = whose == 'd' or whose == 'u'
if is_in_order then
  in_order(whose == 'd')
else
  ids, next_ = members_of(whose, of, from)
  for i, member in ipairs(ids) do ids[i] = sub(member, -16) end
end

local found = {}
for _, id in ipairs(ids) do
  -- In order, no later one can be of the page.
  if is_in_order and #found == wanted then break end
  local rec = load(id)
  local instant = by_start == 1 and parse('>I6', rec.tail) or rec.act
  if instant <= newest and instant >= oldest
    and max(now - rec.act, 0) >= inactive
    and (holding == 0 or (holding == 1) == (rec.seat == 1)) then
    found[#found + 1] = id .. packed(rec)
  end
end
return answer(0, next_, found)
