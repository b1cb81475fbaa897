-- Reads the feed. ARGV: header, mode (0 all, 1 after a position, 2 go on reading), epoch, sequence number.
local mode, e, n = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local from, kind = '-', 0
if mode == 1 and e == epoch and n >= dropped and n <= seq then
  from, kind = '(' .. place(e, n), 1
elseif mode == 2 then
  from = '(' .. place(e, n)
end
local entries = {}
if kind == 0 and mode < 2 then
  local removed = call('HGETALL', K)
  for i = 2, #removed, 2 do entries[#entries + 1] = removed[i] end
end
local page = call('XRANGE', F, from, '+', 'COUNT', 4096)
local last = page[#page] and page[#page][1] or ''
for _, entry in ipairs(page) do
  local _, until_, what = parse('>I6I6B', entry[2][2])
  what = innermost(what, sub(entry[2][2], 15))
  if kind == 1 or mode == 2 or until_ > now and what ~= 5 then
    local epoch_, seq_ = string.match(entry[1], '(%d+)-(%d+)')
    entries[#entries + 1] = pack('>I7I7', tonumber(epoch_), tonumber(seq_)) .. entry[2][2]
  end
end
return answer(kind, #page == 4096 and last or '', entries, recovering and 1 or 0)
