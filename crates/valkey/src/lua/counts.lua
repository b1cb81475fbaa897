-- Counts sessions and seats. ARGV: header, whose, which.
local whose, of = ARGV[2], ARGV[3]
if whose == 'a' then return answer(0, call('HLEN', S), seats) end
local from, to = beginning(of)
local sessions = call('ZLEXCOUNT', O, from, to)
if whose == 't' then return answer(0, sessions, tonumber(call('HGET', T, of) or 0)) end
return answer(0, sessions, call('ZLEXCOUNT', O, '[' .. of .. '1', '(' .. of .. '2'))
