-- Goes through the index by owner: so many members in one call, and where the next one goes on, or nothing.
local PAGE = 1000

-- Those of an owner or a tenant, whose members have one beginning; or all.
local function members_from(lowest, highest, from)
  local members = call('ZRANGE', O, from == '' and lowest or '(' .. from, highest, 'BYLEX', 'LIMIT', 0, PAGE)
  return members, #members == PAGE and members[PAGE] or ''
end

-- The tenant that a member begins with, as it is written there: the length of its name, and that; or that there is none.
local NO_TENANT = '\255\255'
local function tenant_in(member)
  local length = parse('>I2', member)
  return length == 65535 and NO_TENANT or sub(member, 1, 2 + length)
end

-- Those of a subject, in whatever tenant: from each tenant on to the next.
local function members_of_subject(of, from)
  local found, next_ = {}, ''
  local at = from == '' and '-' or '(' .. from
  for _ = 1, BUDGET do
    local member = call('ZRANGE', O, at, '+', 'BYLEX', 'LIMIT', 0, 1)[1]
    if not member then return found, '' end
    local tenant = tenant_in(member)
    local lowest, highest = beginning(tenant .. of)
    -- The last call stopped amid them.
    if sub(from, 1, #tenant + #of) == tenant .. of then lowest = '(' .. from end
    local members = call('ZRANGE', O, lowest, highest, 'BYLEX', 'LIMIT', 0, PAGE)
    for _, each in ipairs(members) do found[#found + 1] = each end
    next_ = #members == PAGE and members[PAGE] or tenant .. rep('\255', 24)
    if #found >= PAGE then break end
    at = '(' .. next_
  end
  return found, next_
end

-- Of a: anyone, o: an owner, t: a tenant, n: a subject.
local function members_of(whose, of, from)
  if whose == 'n' then return members_of_subject(of, from) end
  if whose == 'a' then return members_from('-', '+', from) end
  local lowest, highest = beginning(of)
  return members_from(lowest, highest, from)
end
