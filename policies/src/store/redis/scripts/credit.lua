-- Adds to what may be spent, or takes back what was. `TenantState::credit`.

local now = take_time()
local name, kind, amount, note = take(), take(), take_exact(), take()
local account = account_of(take())
if call('HEXISTS', T .. ':c', name) == 1 then return { 'superseded' } end
local draft = new_draft()
if kind == 't' then
  account.topped = add(account.topped, amount)
  if not fits(account.topped) then return { 'overflow' } end
  moved(draft, account, 'topped', amount)
  write(draft, 'top_up', now, name, note)
else
  account.spent = subtract(account.spent, amount)
  if not fits(account.spent) then return { 'overflow' } end
  moved(draft, account, 'spent', subtract(ZERO, amount))
  write(draft, 'refund', now, name, note)
end
touch(account)
later('HSET', T .. ':c', name, text_of(amount))
commit()
return { 'done' }
