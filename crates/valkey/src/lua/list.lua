-- Goes through live sessions, so many in one call. ARGV: header, whose, which, where the last call stopped, figures.
local whose, of, from = ARGV[2], ARGV[3], ARGV[4]
local by_start, holding, inactive, newest, oldest, wanted = parse('>BBI6I6I6I2', ARGV[5])
local PAGE = 1000
local ids, next_ = {}, ''

local function add_owned(members)
  for _, member in ipairs(members) do ids[#ids + 1] = sub(member, -16) end
end

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

-- Those of an owner or a tenant, whose members of the index have one beginning.
local function by_owner()
  local lowest, highest = beginning(of)
  local members = call('ZRANGE', O, from == '' and lowest or '(' .. from, highest, 'BYLEX', 'LIMIT', 0, PAGE)
  add_owned(members)
  next_ = #members == PAGE and members[PAGE] or ''
end

-- Those of a subject, in whatever tenant: from each tenant on to the next.
local function by_subject()
  local at = from == '' and '-' or '(' .. from
  for _ = 1, BUDGET do
    local member = call('ZRANGE', O, at, '+', 'BYLEX', 'LIMIT', 0, 1)[1]
    if not member then return end
    local length = parse('>I2', member)
    local tenant = sub(member, 1, length == 65535 and 2 or 2 + length)
    local lowest, highest = beginning(tenant .. of)
    -- The last call stopped amid them.
    if sub(from, 1, #tenant + #of) == tenant .. of then lowest = '(' .. from end
    local members = call('ZRANGE', O, lowest, highest, 'BYLEX', 'LIMIT', 0, PAGE)
    add_owned(members)
    next_ = #members == PAGE and members[PAGE] or tenant .. rep('\255', 24)
    if #ids >= PAGE then return end
    at = '(' .. next_
  end
end

local is_in_order = whose == 'd' or whose == 'u'
if is_in_order then
  in_order(whose == 'd')
elseif whose == 'n' then
  by_subject()
else
  by_owner()
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
