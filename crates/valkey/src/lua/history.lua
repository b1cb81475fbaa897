-- What was lost: entries that were told after what survived of their epoch, or in an epoch of another branch.
local past = epochs()

local function saw_no(e)
  return #past < 64 or past[1][1] < e
end

local function lacks(e, n)
  if e >= epoch then return false end
  for _, ended in ipairs(past) do
    if ended[1] == e then return n > ended[2] end
  end
  return saw_no(e)
end

-- The fence behind which this epoch was lost, or a part of it.
local function fence_of(e)
  for i = #past, 1, -1 do
    if past[i][1] <= e then return past[i] end
  end
end
