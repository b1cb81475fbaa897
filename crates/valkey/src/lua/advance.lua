-- Raises the exclusive version of a session's state. ARGV: header, session, figures, memo.
if recovering then return answer(-2) end
local rec = load(ARGV[2])
if not rec then return answer(5, reason_of(ARGV[2])) end
open(rec)
local reset, base, known_version = parse('>BI7I7', ARGV[3])
local memo = ARGV[4]

if rec.memo and memo ~= '' and sub(rec.memo, 1, 16) == sub(memo, 1, 16) then
  if sub(rec.memo, 1, 48) == memo then return answer(2, (parse('>I7', rec.memo, 49))) end
  return answer(3, rec.exc)
end
local counts = max(rec.exc, known_version)
if reset == 0 and base < counts then return answer(3, counts) end
rec.exc = (reset == 1 and counts or base) + 1
if memo ~= '' then
  rec.memo = memo .. pack('>I7', rec.exc)
  close(rec)
end
save(rec)
announce(6, 0, rec.id .. pack('>I7', rec.exc))
return answer(1, rec.exc, fresh)
