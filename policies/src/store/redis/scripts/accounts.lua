-- A page of accounts, by name.

local after, count_max = take(), take()
local page = {}
local from = after == '' and '-' or '(' .. after
local found = call('ZRANGE', T .. ':i', from, '+', 'BYLEX', 'LIMIT', '0', count_max)
for at = 1, #found do
  local name = string.gsub(found[at], ' ', '@')
  page[at] = { name, call('HMGET', T .. ':a:' .. name, 'l', 't', 'h', 's') }
end
return page
