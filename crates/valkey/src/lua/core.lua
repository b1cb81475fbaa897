#!lua
-- Every script begins with this: what all of them read, the clock, and the fence between histories.
local M, S, D, V, Z, Y, O, T, X, R, F, K, E, Q, P, W, G, U, N, L, A, B = unpack(KEYS)
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
local meta = call('HMGET', M, 'epoch', 'seq', 'clk', 'rid', 'seats', 'dropped', 'lim', 'limof', 'ranked', 'cursor', 'sweep', 'life', 'opened', 'recovering', 'awaited')
local epoch, seq, seats, dropped = tonumber(meta[1] or 0), tonumber(meta[2] or 0), tonumber(meta[5] or 0), tonumber(meta[6] or 0)
local limits = { parse('>BI4BI4BI4', meta[8] == configured and meta[7] or configured) }
-- A guest has been told no rules: it begins nothing, nothing that depends on them happens while it asks, and its ends
-- are told for as long as the nodes' longest tokens live.
local guest = life == 0
if guest then
  if not meta[1] then return redis.error_reply('NOREGISTRY there is no session registry of this name') end
  life = tonumber(meta[12])
end
local ranked, cursor = meta[9] or '00', meta[10] or ''
-- Until when the registry waits for its nodes, and for whom: sixteen bytes each, or * where it cannot tell.
local recovering, awaited = tonumber(meta[14] or nil), meta[15] or ''

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

-- An entry that was told again begins with where it was told before, and what it said there.
local function innermost(kind, rest)
  local at = 15
  while kind == 8 do
    kind, at = rest:byte(at), at + 16
  end
  return kind
end

local function announce(kind, reason, rest)
  seq = seq + 1
  local lasts = innermost(kind, rest) == 5
  local entry = pack('>I6I6BB', now, lasts and NEVER or now + life, kind, reason) .. rest
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

-- The ends of a scope that one-time codes and restored sessions may have died with: `until 6`, then for each
-- `1 and whom it spares, or 0 and zeros, how often it was told, where`.
local function keep_ends(scope, ends)
  remember(E, Q, scope, pack('>I6', now + life + 900000) .. ends, 1e9)
end

local function last_end(except)
  return (except == '' and '\0' .. rep('\0', 16) or '\1' .. except) .. pack('>BI7I7', 1, epoch, seq)
end

-- The fence. Another history than the one that this data was written in (the server restarted, or a copy of the data
-- was brought back, or the node knows of a later one): from here on, positions are of a new epoch. What may have been
-- lost is told again by the nodes that were there when the data was written last.
local function begin_epoch(rid)
  local written_at = tonumber(meta[3] or 0)
  if meta[1] then
    local past = (call('HGET', M, 'past') or '') .. pack('>I7I7I6I6', epoch, seq, written_at, now)
    write('HSET', M, 'past', sub(past, -64 * 26))
  else
    write('UNLINK', S, D, V, Z, Y, O, T, X, R, F, E, Q, P, W, G, N, L, A, B)
  end
  if epoch < known then
    awaited = '*'
  elseif awaited ~= '*' then
    for _, node in ipairs(call('ZRANGE', N, written_at - 15000, '+inf', 'BYSCORE')) do
      if not awaited:find(node, 1, true) then awaited = awaited .. node end
    end
  end
  epoch = max(epoch + 1, known + 1, wall)
  seq, dropped, recovering = 0, 0, now + 5000
  write('HSET', M, 'epoch', epoch, 'rid', rid, 'dropped', 0, 'recovering', recovering, 'awaited', awaited)
end

local rid = string.match(call('INFO', 'replication'), 'master_replid:(%x+)')
if meta[4] ~= rid or epoch < known then begin_epoch(rid) end

-- An empty beginning: nothing is known of those who were here before. Whoever comes first may not have been told the
-- rules yet; it is said again for those whose tokens live longer.
local opened = meta[1] and tonumber(meta[13]) or now
if not meta[1] or life > tonumber(meta[12]) and now < opened + life then
  if call('HLEN', S) == 0 then
    announce(4, 2, '')
    keep_ends('*', last_end(''))
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
