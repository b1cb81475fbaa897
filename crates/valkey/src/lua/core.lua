#!lua
-- Every script begins with this: what all of them read, the clock, and the fence between histories.
local M, S, D, O, T, X, R, F, K, E, Q, P, W, G, U = unpack(KEYS)
local call, pack, parse = redis.call, struct.pack, struct.unpack
local sub, rep, min, max, floor = string.sub, string.rep, math.min, math.max, math.floor

local NEVER = 281474976710655
local BUDGET = 256

-- Whoever writes says so: a reading that changed nothing costs no write.
local written = false
local function write(...)
  written = true
  return call(...)
end

local wall, seen, known, race, dangling, idle, life = parse('>I6I6I7I6I6I6I6', ARGV[1])
local configured = sub(ARGV[1], 44)
local meta = call('HMGET', M, 'epoch', 'seq', 'clk', 'rid', 'seats', 'dropped', 'lim', 'limof', 'ranked', 'cursor', 'sweep', 'life', 'opened')
local epoch, seq, seats, dropped = tonumber(meta[1] or 0), tonumber(meta[2] or 0), tonumber(meta[5] or 0), tonumber(meta[6] or 0)
local limits = { parse('>BI4BI4BI4', meta[8] == configured and meta[7] or configured) }
local ranked, cursor = meta[9] or '00', meta[10] or ''

if wall == 0 then
  local time = call('TIME')
  wall = time[1] * 1000 + floor(time[2] / 1000)
end
-- Instants never go back: not within this history, and not for the node that asks.
local now = max(wall, seen, tonumber(meta[3] or 0))

-- The position after `n` entries of an epoch, as the id of a stream entry.
local function place(e, n)
  return string.format('%.0f-%.0f', e, n)
end

-- Entries that this operation added to the feed.
local fresh = {}

local function drop_old_entries()
  for _, entry in ipairs(call('XRANGE', F, '-', '+', 'COUNT', 2)) do
    local at, until_ = parse('>I6I6', entry[2][2])
    if min(until_, at + life) > now then return end
    write('XDEL', F, entry[1])
    local e, n = string.match(entry[1], '(%d+)-(%d+)')
    if tonumber(e) == epoch then dropped = tonumber(n) end
  end
end

local function announce(kind, reason, rest)
  seq = seq + 1
  local entry = pack('>I6I6BB', now, kind == 5 and NEVER or now + life, kind, reason) .. rest
  write('XADD', F, place(epoch, seq), 'e', entry)
  drop_old_entries()
  entry = pack('>I7I7', epoch, seq) .. entry
  fresh[#fresh + 1] = entry
  return entry
end

-- Puts a field into a hash that forgets: a list remembers the order, and at most `bound` are kept.
local function remember(hash, queue, field, value, bound)
  if write('HSET', hash, field, value) == 1 then write('RPUSH', queue, field) end
  for _ = 1, 2 do
    local oldest = call('LINDEX', queue, 0)
    local kept = oldest and call('HGET', hash, oldest)
    if kept and parse('>I6', kept) > now and call('LLEN', queue) <= bound then return end
    if oldest then write('LPOP', queue) end
    if kept then write('HDEL', hash, oldest) end
  end
end

-- An end by scope hits the one-time codes of that scope that were made before it.
local function note_end(scope)
  remember(E, Q, scope, pack('>I6I7I7', now + life + 900000, epoch, seq), 1e9)
end

-- The fence. Another history than the one that this data was written in (the server restarted, or a copy of the data
-- was brought back, or the node knows of a later one): from here on, positions are of a new epoch.
local rid = string.match(call('INFO', 'replication'), 'master_replid:(%x+)')
if meta[4] ~= rid or epoch < known then
  epoch = max(epoch + 1, known + 1, wall)
  seq, dropped = 0, 0
  write('HSET', M, 'epoch', epoch, 'rid', rid, 'dropped', 0)
  if not meta[1] then write('UNLINK', S, D, O, T, X, R, F, E, Q, P, W, G) end
end

-- An empty beginning: nothing is known of those who were here before. Whoever comes first may not have been told the
-- rules yet; it is said again for those whose tokens live longer.
local opened = meta[1] and tonumber(meta[13]) or now
if not meta[1] or life > tonumber(meta[12]) and now < opened + life then
  if call('HLEN', S) == 0 then
    announce(4, 2, '')
    note_end('*')
  end
  write('HSET', M, 'life', life, 'opened', opened)
end

-- The answer, after what the operation changed is written down.
local function answer(kind, ...)
  if written then
    call('HSET', M, 'clk', now, 'seq', seq, 'seats', seats, 'dropped', dropped)
  end
  return { kind, now, epoch, seq, ... }
end
