-- Claims a one-time id. ARGV: header, id, until, owner, position.
local until_ = tonumber(ARGV[3])
local owner, e, n = nil, 0, 0
if ARGV[4] ~= '' then
  owner, e, n = ARGV[4], parse('>I7I7', ARGV[5])
end
if not usable(ARGV[2], until_, owner, e, n) then return answer(0) end
spend(ARGV[2], until_)
return answer(1)
