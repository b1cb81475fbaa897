-- Begins a history where there is none, or finds out that it is another one.
return answer(0)
