-- Admits a session. ARGV: header, id, owner, what else its record says, has, figures, replaces, login key, code, parent,
-- device.
if recovering then return answer(-2) end
local id, owner, rest, has = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local for_, lifetime, exempt = parse('>BI6B', ARGV[6])
local replaces, key, code, parent, device = ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]

local function seated(rec, again)
  return answer(1, again, rec.id, rec.raw or packed(rec), fresh)
end

-- The live session that this admission repeats: of the same id, or of a login with the same key.
local function same()
  local rec = load(id)
  if rec and open(rec).owner == owner then return rec end
  if key == '' then return nil end
  for _, other in ipairs(kin('k' .. key)) do
    local keyed = load(other)
    if open(keyed).owner == owner then return keyed end
  end
end

local rec = same()
if rec then
  if rec.seat ~= 1 then
    local refused = sit_again(rec)
    if refused then return refused end
    save(rec)
  end
  return seated(rec, 1)
end

-- What has ended stays ended.
local function ended(reason)
  return answer(5, reason)
end
local reason = reason_of(id)
if reason > 0 or call('HEXISTS', S, id) == 1 then return ended(reason) end
if parent ~= '' and call('HEXISTS', S, parent) == 0 then return ended(reason_of(parent)) end
local expires = for_ == 1 and min(now + lifetime, NEVER) or lifetime
if expires <= now then return ended(8) end

local gone = {}
local code_id, code_until, born_epoch, born_seq
if code ~= '' then
  code_id, code_until, born_epoch, born_seq = parse('>c32I6I7I7', code)
  if not usable(code_id, code_until, owner, born_epoch, born_seq) then return answer(3) end
  local chosen = sub(code, 53)
  if chosen ~= '' then
    local leaving = load(chosen)
    if not leaving or open(leaving).owner ~= owner then return answer(4) end
    leaving.reason = 1
    gone[1] = leaving
  end
end
if replaces ~= '' and not (gone[1] and gone[1].id == replaces) then
  local replaced = load(replaces)
  if replaced then
    replaced.reason = 4
    gone[#gone + 1] = replaced
  end
end

local length = parse('>I2', owner)
local at = { owner = owner, tenant = length ~= 65535 and sub(owner, 1, 2 + length) or nil }
if exempt == 0 then
  local refused = plan(at, gone)
  if refused then return refused end
end

-- All is planned; from here on it happens. A record may have changed since it was read: an earlier end handed it over.
for _, leaving in ipairs(gone) do end_one(load(leaving.id), leaving.reason) end
if code ~= '' then spend(code_id, code_until) end
-- Its parent may have ended in this very step, to make room or in the same browser.
local handed = parent ~= '' and call('HEXISTS', S, parent) == 1
if handed then announce(7, 0, parent .. device) end
rec = { id = id, seat = 1, has = has, expires = expires, act = now, cur = rep('\0', 8), exc = 0 }
rec.tail = pack('>I6I7I6', now, epoch, seq) .. rest
open(rec)
if parent ~= '' and not handed then
  rec.parent = nil
  close(rec)
end
write('ZADD', O, 0, owner .. '1' .. id)
count_seat(rec, 1)
save(rec)
write('ZADD', D, due(rec), id)
write('ZADD', V, now, id)
write('ZADD', Y, now, id)
if key ~= '' then write('ZADD', X, 0, 'k' .. key .. id) end
if handed then write('ZADD', X, 0, 'c' .. parent .. id) end
return seated(rec, 0)
