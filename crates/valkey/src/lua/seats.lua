-- Seats: who has one, who gets one, and who makes room.

local function holders(owner)
  local found = call('ZRANGE', O, '[' .. owner .. '1', '(' .. owner .. '2', 'BYLEX')
  for i, member in ipairs(found) do found[i] = sub(member, -16) end
  return found
end

local function counts_in(at, scope, rec)
  open(rec)
  return scope == 3 or scope == 2 and rec.tenant == at.tenant or scope == 1 and rec.owner == at.owner
end

local function by_instant(list, oldest)
  for _, rec in ipairs(list) do rec.instant = oldest and open(rec).started or rec.act end
  table.sort(list, function(a, b)
    if a.instant ~= b.instant then return a.instant < b.instant end
    return before(a.id, b.id)
  end)
  return list
end

local function loaded(ids)
  local list = {}
  for i, id in ipairs(ids) do list[i] = load(id) end
  return list
end

-- When so many seats will have fallen free that one is left, if nobody did anything: plus one, 0 if it is not told.
local function next_free(at, scope, seats_allowed, in_use)
  local from, to = '-', '+'
  if scope < 3 then from, to = beginning(scope == 1 and at.owner or at.tenant) end
  local members = call('ZRANGE', O, from, to, 'BYLEX', 'LIMIT', 0, 129)
  if #members > 128 or seats_allowed == 0 then return 0 end
  local free = {}
  for _, member in ipairs(members) do
    if sub(member, -17, -17) == '1' then free[#free + 1] = due(load(sub(member, -16))) end
  end
  table.sort(free)
  local instant = free[in_use + 1 - seats_allowed]
  return instant and instant - now + 1 or 0
end

local function full(at, scope, in_use)
  local rule, allowed = limits[scope * 2 - 1], limits[scope * 2]
  local own = {}
  if rule == 4 then
    for i, rec in ipairs(by_instant(loaded(holders(at.owner)))) do
      if i <= 256 then own[i] = rec.id .. packed(rec) end
    end
  end
  return answer(2, scope, allowed, in_use, rule, next_free(at, scope, allowed, in_use), own)
end

-- Whether a session that comes back finds a seat in all scopes: nil, or the refusal.
local function no_seat(at)
  for _, scope in ipairs(scopes(at)) do
    local in_use = seats_of(at, scope)
    if in_use >= limits[scope * 2] then return full(at, scope, in_use) end
  end
end

-- Keeps the order that a rule asks for: builds it where it is missing, a part in one call. Tells whether it is complete.
local function keep_ranks()
  local function ends(class) return (limits[class] == 2 or limits[class] == 3) and limits[class] or 0 end
  local wanted = ends(3) .. ends(5)
  if ranked ~= wanted then
    write('UNLINK', R)
    ranked, cursor = wanted, '0'
  elseif cursor == '' then
    return true
  end
  local page = call('HSCAN', S, cursor, 'COUNT', BUDGET)
  for i = 1, #page[2], 2 do
    local rec = load(page[2][i])
    if rec.seat == 1 then rank('ZADD', rec) end
  end
  cursor = page[1] == '0' and '' or page[1]
  write('HSET', M, 'ranked', ranked, 'cursor', cursor)
  return cursor == ''
end

-- The seat holders of a scope that make room first, but for those that leave anyway.
local function first(at, scope, need, rule, gone)
  local list, leaving = {}, {}
  for _, rec in ipairs(gone) do leaving[rec.id] = true end
  if scope == 1 then
    list = by_instant(loaded(holders(at.owner)), rule == 3)
  else
    local from, to = beginning(scope == 3 and '*' or 't' .. at.tenant)
    local members = call('ZRANGE', R, from, to, 'BYLEX', 'LIMIT', 0, need + #gone)
    for i, member in ipairs(members) do list[i] = load(sub(member, -16)) end
  end
  local chosen = {}
  for _, rec in ipairs(list) do
    if not leaving[rec.id] and #chosen < need then chosen[#chosen + 1] = rec end
  end
  return chosen
end

-- Plans a newcomer's seat in all scopes, without those who leave anyway: adds to `gone` who must make room, or returns
-- the refusal. Nothing has happened yet.
local function plan(at, gone)
  for _, scope in ipairs(scopes(at)) do
    local rule, allowed = limits[scope * 2 - 1], limits[scope * 2]
    local in_use = seats_of(at, scope)
    for _, rec in ipairs(gone) do
      if rec.seat == 1 and counts_in(at, scope, rec) then in_use = in_use - 1 end
    end
    if in_use >= allowed then
      if allowed == 0 or rule == 1 or rule == 4 then return full(at, scope, in_use) end
      if scope > 1 and not keep_ranks() then return answer(-1) end
      for _, rec in ipairs(first(at, scope, in_use + 1 - allowed, rule, gone)) do
        rec.reason = 3
        gone[#gone + 1] = rec
      end
    end
  end
end

-- A session is active now: it takes a seat if it has none, and never by ending another. Returns a refusal, or nothing.
local function sit_again(rec)
  open(rec)
  if rec.seat ~= 1 then
    local refused = no_seat(rec)
    if refused then return refused end
  end
  if now > rec.act then activity(rec, now) end
  if rec.seat ~= 1 then
    seat(rec, 1)
    write('ZADD', D, due(rec), rec.id)
  end
end
