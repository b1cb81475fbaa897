-- Ends sessions. ARGV: header, operation, target, reason, what is meant, the exception.
local id, target, reason, of, except = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]

local done = call('HGET', P, id)
if done and parse('>I6', done) > now then
  local _, e, last, count, sessions = parse('>I6I7I7I7I7', done)
  local entries = {}
  for i, entry in ipairs(count > 0 and call('XRANGE', F, place(e, last + 1 - count), place(e, last)) or {}) do
    local n = string.match(entry[1], '-(%d+)')
    entries[i] = pack('>I7I7', e, tonumber(n)) .. entry[2][2]
  end
  return answer(0, sessions, pack('>I7I7', e, last), entries)
end

local first, sessions = seq, 0
if target == 's' or target == 'w' then
  for i = 1, #of, 16 do
    local one = sub(of, i, i + 15)
    local rec = load(one)
    if rec and (target == 's' or open(rec).owner == except) then
      end_one(rec, reason)
      sessions = sessions + 1
    elseif not rec and may_come_back() and reason_of(one) == 0 then
      -- It may have been admitted and lost: it is not to be restored, and its access token is alive.
      dig(one, reason)
      announce(1, reason, one)
    end
  end
elseif target == 'k' then
  local removed = call('HGET', K, of)
  if removed then
    fresh[1] = removed
  else
    write('HSET', K, of, announce(5, 0, of))
  end
else
  if target == 'o' then
    announce(2, reason, (except == '' and '\0' .. rep('\0', 16) or '\1' .. except) .. of)
  else
    announce(target == 't' and 3 or 4, reason, of)
  end
  note_end((target == 'a' and '*' or target) .. of, except, { { epoch, seq } })
  local job = { of = of, except = except, reason = reason, id = id, first = first, sessions = 0 }
  if not sweep(job) then return answer(-1) end
  return answer(0, job.sessions, pack('>I7I7', epoch, seq), fresh)
end
end_is_done(id, first, sessions)
return answer(0, sessions, pack('>I7I7', epoch, seq), fresh)
