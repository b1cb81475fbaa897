-- The live sessions: their records, their indexes, how they end, and what time does to them.
-- seat: 0 none, 1 holds one, 2 none, and a passive refresh or a late mark has said so.

local function unpacked(id, raw)
  local _, seat, has, expires, act, cur, exc = parse('>BBBI6I6c8I7', raw)
  return { id = id, seat = seat, has = has, expires = expires, act = act, cur = cur, exc = exc, tail = sub(raw, 31) }
end

local function load(id)
  local raw = call('HGET', S, id)
  return raw and unpacked(id, raw) or nil
end

local function packed(rec)
  return pack('>BBBI6I6c8I7', 1, rec.seat, rec.has, rec.expires, rec.act, rec.cur, rec.exc) .. rec.tail
end

local function save(rec)
  rec.raw = packed(rec)
  write('HSET', S, rec.id, rec.raw)
end

-- The length of each part of a tail that a record may have, by its bit in `has`.
local PARTS = { { 1, 'auth', 6 }, { 2, 'key', 16 }, { 4, 'parent', 16 }, { 8, 'memo', 55 } }

-- Takes the tail of a record apart.
local function open(rec)
  if rec.owner then return rec end
  local tail, at = rec.tail, 20
  for _, part in ipairs(PARTS) do
    if bit.band(rec.has, part[1]) ~= 0 then
      rec[part[2]] = sub(tail, at, at + part[3] - 1)
      at = at + part[3]
    end
  end
  rec.rest = sub(tail, at)
  local length = parse('>I2', rec.rest)
  local tenant = length == 65535 and 2 or 2 + length
  if length ~= 65535 then rec.tenant = sub(rec.rest, 1, tenant) end
  rec.owner = sub(rec.rest, 1, tenant + 2 + parse('>I2', rec.rest, tenant + 1))
  rec.started = parse('>I6', tail)
  return rec
end

-- Puts it together again after one of its parts was set.
local function close(rec)
  local tail = sub(rec.tail, 1, 19)
  rec.has = bit.band(rec.has, 16)
  for _, part in ipairs(PARTS) do
    if rec[part[2]] then
      tail, rec.has = tail .. rec[part[2]], rec.has + part[1]
    end
  end
  rec.tail = tail .. rec.rest
end

local function due(rec)
  local at = min(rec.expires, rec.act + idle)
  return rec.seat == 1 and min(at, rec.act + dangling) or at
end

-- Among the sessions in the order in which they would make room, where a limit's rule asks for one.
local function rank(command, rec)
  if ranked == '00' then return end
  open(rec)
  for class = 1, 2 do
    local rule = sub(ranked, class, class)
    local key = class == 2 and '*' or rec.tenant and 't' .. rec.tenant
    if rule ~= '0' and key then
      local at = pack('>I6', rule == '3' and rec.started or rec.act)
      if command == 'ZADD' then write('ZADD', R, 0, key .. at .. rec.id) else write('ZREM', R, key .. at .. rec.id) end
    end
  end
end

local function count_seat(rec, by)
  seats = seats + by
  if rec.tenant and write('HINCRBY', T, rec.tenant, by) == 0 then write('HDEL', T, rec.tenant) end
  rank(by == 1 and 'ZADD' or 'ZREM', rec)
end

-- The index by activity: of those that hold a seat, or of those that hold none.
local function actives(rec)
  return rec.seat == 1 and V or Z
end

-- Gives or takes a seat. The caller saves the record.
local function seat(rec, to)
  open(rec)
  local from, before = rec.seat, actives(rec)
  rec.seat = to
  if (from == 1) == (to == 1) then return end
  write('ZREM', before, rec.id)
  write('ZADD', actives(rec), rec.act, rec.id)
  write('ZREM', O, rec.owner .. (from == 1 and '1' or '0') .. rec.id)
  write('ZADD', O, 0, rec.owner .. (to == 1 and '1' or '0') .. rec.id)
  count_seat(rec, to == 1 and 1 or -1)
end

-- A scope of limits is 1 the user's, 2 the tenant's, 3 the site's; a rule 0 none, 1 refuse, 2 least recent, 3 oldest,
-- 4 ask.
local function scopes(at)
  local list = {}
  for scope = 1, 3 do
    if limits[scope * 2 - 1] ~= 0 and (scope ~= 2 or at.tenant) then list[#list + 1] = scope end
  end
  return list
end

local function seats_of(at, scope)
  if scope == 1 then return call('ZLEXCOUNT', O, '[' .. at.owner .. '1', '(' .. at.owner .. '2') end
  if scope == 2 then return tonumber(call('HGET', T, at.tenant) or 0) end
  return seats
end

-- Whether there is a seat for a session in all scopes.
local function has_seat(rec)
  for _, scope in ipairs(scopes(open(rec))) do
    if seats_of(rec, scope) >= limits[scope * 2] then return false end
  end
  return true
end

local function activity(rec, at)
  if rec.seat == 1 then rank('ZREM', rec) end
  rec.act = at
  write('ZADD', actives(rec), at, rec.id)
  if rec.seat == 1 then rank('ZADD', rec) end
end

local function beginning(prefix)
  return '[' .. prefix, '(' .. prefix .. rep('\255', 24)
end

local function kin(prefix)
  local from, to = beginning(prefix)
  local found = call('ZRANGE', X, from, to, 'BYLEX')
  for i, member in ipairs(found) do found[i] = sub(member, 18) end
  return found
end

-- Sessions that were handed off from one that ends belong to the one that it came from.
local function hand_over(rec)
  if not rec.parent then return end
  for _, id in ipairs(kin('c' .. rec.id)) do
    local child = open(load(id))
    child.parent = rec.parent
    close(child)
    save(child)
    write('ZREM', X, 'c' .. rec.id .. id)
    write('ZADD', X, 0, 'c' .. rec.parent .. id)
  end
end

local function dig(id, reason)
  write('ZADD', G, now * 16 + reason, id)
  local oldest = call('ZRANGE', G, 0, 1, 'WITHSCORES')
  for i = 1, #oldest, 2 do
    if floor(tonumber(oldest[i + 1]) / 16) + 86400000 <= now or call('ZCARD', G) > 1048576 then
      write('ZREM', G, oldest[i])
    end
  end
end

-- Why a session ended, plus one; 0 if that is not known.
local function reason_of(id)
  local grave = tonumber(call('ZSCORE', G, id) or 0)
  if floor(grave / 16) + 86400000 <= now then return 0 end
  return grave % 16 + 1
end

local function bury(rec, reason)
  open(rec)
  hand_over(rec)
  if rec.seat == 1 then count_seat(rec, -1) end
  write('ZREM', O, rec.owner .. (rec.seat == 1 and '1' or '0') .. rec.id)
  write('HDEL', S, rec.id)
  write('ZREM', D, rec.id)
  write('ZREM', actives(rec), rec.id)
  write('ZREM', Y, rec.id)
  if rec.parent then write('ZREM', X, 'c' .. rec.parent .. rec.id) end
  if rec.key then write('ZREM', X, 'k' .. rec.key .. rec.id) end
  dig(rec.id, reason)
end

local function end_one(rec, reason)
  bury(rec, reason)
  announce(1, reason, rec.id)
end

-- Judges a session whose time may have come. Where pages poll, which is no activity, an access token may be younger
-- than an idle session: so the feed tells of its end.
local function look_at(id)
  local rec = load(id)
  local idled = rec.act + idle
  if min(rec.expires, idled) <= now then
    local reason = rec.expires <= idled and 7 or 6
    bury(rec, reason)
    if reason == 6 and now < idled + life then announce(1, 6, id) end
    return
  end
  if rec.seat == 1 and rec.act + dangling <= now then
    seat(rec, 0)
    save(rec)
  end
  write('ZADD', D, due(rec), id)
end

local function end_is_done(id, first, sessions)
  remember(P, W, id, pack('>I6I7I7I7I7', now + 3600000, epoch, seq, seq - first, sessions), 65536)
end

-- Whether a session was born before an end that was told at these positions, the first of them first.
local function was_born_before(rec, told)
  local e, n = parse('>I7I6', open(rec).tail, 7)
  for _, at in ipairs(told) do
    if e <= at[1] then return e < at[1] or n < at[2] end
  end
  return false
end

-- Goes on with an end by scope, and tells whether it is complete. Nothing else happens before.
local function sweep(job)
  local from, to = '-', '+'
  if job.of ~= '' then from, to = beginning(job.of) end
  if job.from then from = '(' .. job.from end
  local members = call('ZRANGE', O, from, to, 'BYLEX', 'LIMIT', 0, BUDGET)
  for _, member in ipairs(members) do
    local rec = load(sub(member, -16))
    if rec.id ~= job.except and (not job.told or was_born_before(rec, job.told)) then
      bury(rec, job.reason)
      job.sessions = job.sessions + 1
    end
    -- Those that were born later stay where they are.
    if job.told then job.from = member end
  end
  if #members == BUDGET then
    write('HSET', M, 'sweep', cmsgpack.pack(job))
    return false
  end
  write('HDEL', M, 'sweep')
  if job.id then end_is_done(job.id, job.first, job.sessions) end
  return true
end

-- Recovery is over. Restored sessions take their seats as long as there are any, those that started first before others.
local function open_up()
  local waiting = call('ZRANGE', L, 0, BUDGET - 1)
  for _, id in ipairs(waiting) do
    local rec = load(id)
    if rec and rec.seat ~= 1 and now < rec.act + dangling and has_seat(rec) then
      seat(rec, 1)
      save(rec)
      write('ZADD', D, due(rec), id)
    end
    write('ZREM', L, id)
  end
  if #waiting == BUDGET then return false end
  recovering, awaited = nil, ''
  write('HDEL', M, 'recovering', 'awaited')
  return true
end

-- The epochs that ended, in order: epoch, last entry, last instant of a write, instant of the fence.
local function epochs()
  local past, raw = {}, call('HGET', M, 'past') or ''
  for i = 1, #raw, 26 do past[#past + 1] = { parse('>I7I7I6I6', raw, i) } end
  return past
end

-- Whether a session that nobody knows here may have been admitted and lost, and be restored yet.
local function may_come_back()
  local past = epochs()
  return #past > 0 and now <= past[#past][4] + 900000
end

-- Carries out what time has brought, so much in one call; tells whether that was all.
local function settle()
  if meta[11] and not sweep(cmsgpack.unpack(meta[11])) then return false end
  if guest then return true end
  local woken = call('ZRANGE', D, '-inf', now, 'BYSCORE', 'LIMIT', 0, BUDGET)
  for _, id in ipairs(woken) do look_at(id) end
  if #woken == BUDGET then return false end
  return not recovering or recovering > now and awaited ~= '' or open_up()
end

if not settle() then return answer(-1) end
-- What the operation itself tells begins here.
fresh = {}
