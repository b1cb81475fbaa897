-- A node has told all that it knew. ARGV: header, node.
if recovering and awaited ~= '*' then
  local others = ''
  for i = 1, #awaited, 16 do
    local node = sub(awaited, i, i + 15)
    if node ~= ARGV[2] then others = others .. node end
  end
  awaited = others
  write('HSET', M, 'awaited', awaited)
  if awaited == '' and not open_up() then return answer(-1) end
end
return answer(recovering and 0 or 1)
