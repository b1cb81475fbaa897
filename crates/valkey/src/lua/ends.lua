-- Ends by scope: whom they hit, and which of several must be kept. An end that was told again hits the sessions of each
-- epoch that were born before it was told there.

-- The sessions of this epoch that it hits were born before this many entries.
local function reach(ending, e)
  for _, at in ipairs(ending.told) do
    if at[1] == e then return at[2] end
    if at[1] > e then return NEVER * 32 end
  end
  return 0
end

local function covers(ending, other)
  local last, others = ending.told[#ending.told], other.told[#other.told]
  if others[1] > last[1] then return false end
  for _, at in ipairs(ending.told) do
    if reach(other, at[1]) > at[2] then return false end
  end
  return true
end

-- It is needless if one that covers it spares nobody or the same session, or two that do spare different ones.
local function is_needless(ending, among)
  local spared
  for _, other in ipairs(among) do
    if covers(other, ending) then
      if other.except == '' or other.except == ending.except or spared and spared ~= other.except then return true end
      spared = other.except
    end
  end
  return false
end

local function take(ends, ending)
  if is_needless(ending, ends) then return end
  ends[#ends + 1] = ending
  for i = #ends - 1, 1, -1 do
    local before = table.remove(ends, i)
    if not is_needless(before, ends) then table.insert(ends, i, before) end
  end
end

-- The ends of a scope that are remembered.
local function ends_of(scope)
  local found, ends = call('HGET', E, scope), {}
  if not found or parse('>I6', found) <= now then return ends end
  local at = 7
  while at <= #found do
    local spares, except, count, told = parse('>Bc16B', found, at)
    at, told = at + 18, {}
    for i = 1, count do
      told[i] = { parse('>I7I7', found, at) }
      at = at + 14
    end
    ends[#ends + 1] = { except = spares == 1 and except or '', told = told }
  end
  return ends
end

-- One too many, and all count as told for the first time where they were told last.
local function simplified(ends)
  local few = {}
  for _, ending in ipairs(ends) do take(few, { except = ending.except, told = { ending.told[#ending.told] } }) end
  return few
end

-- Remembers an end of a scope, told at these positions.
local function note_end(scope, except, told)
  local ends, bytes = ends_of(scope), ''
  take(ends, { except = except, told = told })
  if #ends > 16 then ends = simplified(ends) end
  for _, ending in ipairs(ends) do
    bytes = bytes .. (ending.except == '' and '\0' .. rep('\0', 16) or '\1' .. ending.except) .. pack('>B', #ending.told)
    for _, at in ipairs(ending.told) do bytes = bytes .. pack('>I7I7', at[1], at[2]) end
  end
  keep_ends(scope, bytes)
end

-- Whether an end of these scopes hits what was made at this position: a session, or nothing that could be spared.
local function hit_by(owner, e, n, session)
  local length = parse('>I2', owner)
  local tenant = length ~= 65535 and 't' .. sub(owner, 1, 2 + length)
  for _, scope in ipairs({ 'o' .. owner, '*', tenant or nil }) do
    for _, ending in ipairs(ends_of(scope)) do
      if n < reach(ending, e) and (not session or ending.except ~= session) then return true end
    end
  end
  return false
end
