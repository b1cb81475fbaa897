-- One-time ids.

local function hit_by(scope, born_epoch, born_seq)
  local found = call('HGET', E, scope)
  if not found then return false end
  local until_, e, n = parse('>I6I7I7', found)
  return until_ > now and (born_epoch < e or born_epoch == e and born_seq < n)
end

-- Whether a code is unused, in time, and was not made before an end of its owner.
local function usable(code, until_, owner, born_epoch, born_seq)
  if owner then
    if max(until_ - now, 0) > 900000 then return false end
    local length = parse('>I2', owner)
    local tenant = length ~= 65535 and 't' .. sub(owner, 1, 2 + length)
    for _, scope in ipairs({ 'o' .. owner, '*', tenant or nil }) do
      if hit_by(scope, born_epoch, born_seq) then return false end
    end
  end
  if until_ <= now or tonumber(call('ZSCORE', U, code) or 0) > now then return false end
  return call('ZCOUNT', U, '(' .. string.format('%.0f', now), '+inf') < 1048576
end

local function spend(code, until_)
  write('ZADD', U, until_, code)
  for _, old in ipairs(call('ZRANGE', U, '-inf', now, 'BYSCORE', 'LIMIT', 0, 2)) do write('ZREM', U, old) end
end
