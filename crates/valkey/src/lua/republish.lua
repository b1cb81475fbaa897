-- Carries out entries that a node has heard and that were lost. ARGV: header, entries.
local function hours(count)
  return count * 3600000
end

-- Where it was told, the first of them first, and what.
local function take_apart(entry)
  local told = { { parse('>I7I7', entry) } }
  local kind, at = entry:byte(27), 29
  while kind == 8 do
    table.insert(told, 1, { parse('>I7I7', entry, at) })
    kind, at = entry:byte(at + 14), at + 16
  end
  return told, kind, entry:byte(at - 1), sub(entry, at)
end

-- The position at which it was told again, if the feed has it still.
local function known_again(first)
  local kept = call('HGET', A, pack('>I7I7', first[1], first[2]))
  if not kept or parse('>I6', kept) <= now then return nil end
  local _, e, n = parse('>I6I7I7', kept)
  if lacks(e, n) then return nil end
  return { e, n }
end

-- The entry of a position, as long as it could matter.
local function at(position)
  local id = place(position[1], position[2])
  local found = call('XRANGE', F, id, id)[1]
  if not found or (select(2, parse('>I6I6', found[2][2]))) <= now then return nil end
  return pack('>I7I7', position[1], position[2]) .. found[2][2]
end

local function end_again(id, reason)
  local rec = load(id)
  if rec then
    bury(rec, reason)
  elseif reason_of(id) == 0 then
    dig(id, reason)
  end
end

local function raise(id, exclusive)
  local kept = call('HGET', A, id)
  local floor_ = kept and select(2, parse('>I6I7', kept)) or 0
  remember(A, B, id, pack('>I6I7', now + hours(24), max(floor_, exclusive)), 262144)
  local rec = load(id)
  if rec and rec.exc < exclusive then
    rec.exc = exclusive
    save(rec)
  end
end

-- Does what an entry says. Returns whether that is complete.
local function carry_out(told, kind, reason, rest)
  if kind == 1 then
    end_again(rest, reason)
  elseif kind == 6 then
    raise(sub(rest, 1, 16), (parse('>I7', rest, 17)))
  elseif kind < 5 then
    local except, of = '', rest
    if kind == 2 then
      except, of = rest:byte(1) == 1 and sub(rest, 2, 17) or '', sub(rest, 18)
    end
    note_end(({ nil, 'o', 't', '*' })[kind] .. of, except, told)
    return sweep({ of = of, except = except, reason = reason, told = told, sessions = 0 })
  end
  return true
end

-- Tells an entry again, unless it is known. Returns the one that says so, and whether all that it says has been done.
local function tell_again(entry)
  local told, kind, reason, rest = take_apart(entry)
  local again = known_again(told[1])
  if again then return kind == 5 and call('HGET', K, rest) or at(again), true end
  for _, position in ipairs(told) do
    if not lacks(position[1], position[2]) then return nil, true end
  end
  if kind == 7 or kind == 5 and call('HEXISTS', K, rest) == 1 then return nil, true end
  local announced = announce(8, 0, sub(entry, 1, 14) .. sub(entry, 27))
  if kind == 5 then write('HSET', K, rest, announced) end
  remember(A, B, pack('>I7I7', told[1][1], told[1][2]), pack('>I6I7I7', now + hours(24), epoch, seq), 262144)
  told[#told + 1] = { epoch, seq }
  return announced, carry_out(told, kind, reason, rest)
end

local entries = {}
for i = 2, #ARGV do
  local again, done = tell_again(ARGV[i])
  if not done then return answer(-1) end
  if again then entries[#entries + 1] = again end
end
return answer(0, entries, call('HGET', M, 'past') or '')
