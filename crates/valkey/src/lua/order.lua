-- The order of ids: that of their bytes, whatever the server's locale says.
local function before(a, b)
  for i = 1, #a do
    local x, y = a:byte(i), b:byte(i)
    if x ~= y then return x < y end
  end
  return false
end
