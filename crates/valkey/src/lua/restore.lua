-- Puts back what was lost and is no end. ARGV: header, and each `s, session, record` or `o, one-time id, until`.
local function may_restore(rec)
  local born, n = parse('>I7I6', rec.tail, 7)
  local fence = born < epoch and fence_of(born)
  if not fence or now > fence[4] + 900000 then return false end
  if fence[1] == born and fence[3] > rec.started then return false end
  if call('HEXISTS', S, rec.id) == 1 or reason_of(rec.id) > 0 then return false end
  if rec.parent and reason_of(rec.parent) == 6 then return false end
  return now < min(rec.expires, rec.act + idle) and not hit_by(rec.owner, born, n, rec.id)
end

local function put_back(rec)
  local had_seat = rec.seat == 1
  rec.seat = 2
  local kept = call('HGET', A, rec.id)
  if kept then rec.exc = max(rec.exc, (select(2, parse('>I6I7', kept)))) end
  save(rec)
  write('ZADD', O, 0, rec.owner .. '0' .. rec.id)
  write('ZADD', D, due(rec), rec.id)
  write('ZADD', Z, rec.act, rec.id)
  write('ZADD', Y, rec.started, rec.id)
  if rec.key then write('ZADD', X, 0, 'k' .. rec.key .. rec.id) end
  if rec.parent then write('ZADD', X, 0, 'c' .. rec.parent .. rec.id) end
  if had_seat and recovering then write('ZADD', L, rec.started, rec.id) end
end

for i = 2, #ARGV do
  local kind, lost = sub(ARGV[i], 1, 1), sub(ARGV[i], 2)
  if kind == 's' then
    local rec = open(unpacked(sub(lost, 1, 16), sub(lost, 17)))
    if may_restore(rec) then put_back(rec) end
  else
    local id, until_ = parse('>c32I6', lost)
    if usable(id, until_) then spend(id, until_) end
  end
end
return answer(0)
