-- Counts live sessions that pass, by owner, so many in one call. ARGV: header, whose, which, where the last call stopped,
-- figures.
local from = ARGV[4]
local holding, inactive = parse('>BI6', ARGV[5])

local function passes(member, has_seat)
  if holding ~= 0 and (holding == 1) ~= has_seat then return false end
  return inactive == 0 or max(now - load(sub(member, -16)).act, 0) >= inactive
end

-- Sessions and seats of each owner; the first is the one at which the last call stopped. The same of each tenant, before
-- its name.
local people, tenants = {}, {}
local owner, sessions_of, seats_of_owner = sub(from, 1, -18), 0, 0
local tenant, sessions_in, seats_in = from == '' and NO_TENANT or tenant_in(from), 0, 0

local function next_tenant()
  if tenant ~= NO_TENANT and sessions_in > 0 then
    tenants[#tenants + 1] = pack('>I2I2', sessions_in, seats_in) .. sub(tenant, 3)
  end
  sessions_in, seats_in = 0, 0
end

local function next_person()
  people[#people + 1] = pack('>I2I2', sessions_of, seats_of_owner)
  sessions_in, seats_in = sessions_in + sessions_of, seats_in + seats_of_owner
  sessions_of, seats_of_owner = 0, 0
end

local members, next_ = members_of(ARGV[2], ARGV[3], from)
for _, member in ipairs(members) do
  local whose = sub(member, 1, -18)
  if whose ~= owner then
    next_person()
    owner = whose
    if sub(owner, 1, #tenant) ~= tenant then
      next_tenant()
      tenant = tenant_in(owner)
    end
  end
  local has_seat = sub(member, -17, -17) == '1'
  if passes(member, has_seat) then
    sessions_of = sessions_of + 1
    if has_seat then seats_of_owner = seats_of_owner + 1 end
  end
end
next_person()
next_tenant()
return answer(0, next_, table.concat(people), tenants)
