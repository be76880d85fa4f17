-- Removes lines that were archived, and remembers from where on the chain goes on. `TenantState::trim`.

local version, hash = take(), take()
local known = call('HMGET', T .. ':head', 'a', 'ah')
local archived, archived_hash = ZERO, string.rep('0', 40)
if known[1] or known[2] then
  archived, archived_hash = exact(known[1], 'archived'), known[2]
  if not string.match(archived_hash or '', '^%x+$') or #archived_hash ~= 40 then corrupt('archived') end
end
local through = exact(version, 'argument')
if not less(archived, through) then
  return { (less(through, archived) or hash == archived_hash) and 'superseded' or 'other_line' }
end
local line = call('XRANGE', T .. ':l', version .. '-0', version .. '-0')[1]
if not line or line[2][3] ~= 'h' or line[2][4] ~= hash then return { 'other_line' } end
later('HSET', T .. ':head', 'a', version, 'ah', hash)
later('XTRIM', T .. ':l', 'MINID', version .. '-1')
commit()
return { 'done' }
