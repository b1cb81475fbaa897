-- One-time ids.

-- Whether a code is unused, in time, and was not made before an end of its owner.
local function usable(code, until_, owner, born_epoch, born_seq)
  if owner then
    if max(until_ - now, 0) > 900000 then return false end
    if hit_by(owner, born_epoch, born_seq) then return false end
  end
  if until_ <= now or tonumber(call('ZSCORE', U, code) or 0) > now then return false end
  return call('ZCOUNT', U, '(' .. string.format('%.0f', now), '+inf') < 1048576
end

local function spend(code, until_)
  write('ZADD', U, until_, code)
  for _, old in ipairs(call('ZRANGE', U, '-inf', now, 'BYSCORE', 'LIMIT', 0, 2)) do write('ZREM', U, old) end
end
