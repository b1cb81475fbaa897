-- Claims a one-time id, or looks at one. ARGV: header, id, until, owner, position, whether to use it up.
if recovering then return answer(-2) end
local until_ = tonumber(ARGV[3])
local owner, e, n = nil, 0, 0
if ARGV[4] ~= '' then
  owner, e, n = ARGV[4], parse('>I7I7', ARGV[5])
end
if not usable(ARGV[2], until_, owner, e, n) then return answer(0) end
if ARGV[6] ~= '' then spend(ARGV[2], until_) end
return answer(1)
