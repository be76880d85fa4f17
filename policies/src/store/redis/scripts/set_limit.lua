-- Overrides a configured limit. `TenantState::set_limit`.

local now = take_time()
local base, version, kind, amount, note = take(), take(), take(), take(), take()
local set = call('HGET', T .. ':o', base)
if set then
  local known = exact(string.match(set, '^(%d+) %l%-?%d*$'), 'limit of ' .. base)
  if not less(known, exact(version, 'argument')) then return { 'superseded' } end
end
local draft = new_draft()
if kind == 'c' then
  flag(draft, 'configured')
else
  limited(draft, base, kind == 'a' and exact(amount, 'argument'))
end
write(draft, 'limit', now, base, note)
later('HSET', T .. ':o', base, version .. ' ' .. kind .. amount)
commit()
return { 'done' }
