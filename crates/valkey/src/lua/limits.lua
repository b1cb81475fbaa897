-- Changes the limits, for as long as the nodes are configured with those that they have now. ARGV: header, limits.
if recovering then return answer(-2) end
write('HSET', M, 'lim', ARGV[2], 'limof', configured)
return answer(0)
