-- A node is there. ARGV: header, node.
write('ZADD', N, now, ARGV[2])
for _, old in ipairs(call('ZRANGE', N, 0, 1)) do
  if tonumber(call('ZSCORE', N, old)) + 15000 < now or call('ZCARD', N) > 1024 then write('ZREM', N, old) end
end
return answer(0)
