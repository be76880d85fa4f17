-- Holds more money for a request that runs. `TenantState::extend`.

local now = take_time()
local id, hex, number, lease = take(), take(), take(), take_number()
local amounts = take_list(take_exact)

local code = finished(id, hex)
if code then return { 'finished', code } end
local hold = hold_of(id)
if not hold then return { 'missing' } end
if tonumber(hold.extensions) >= tonumber(number) then return { 'extended' } end
if #hold.parts ~= #amounts then return { 'overflow' } end

local draft = new_draft()
for at = 1, #amounts do
  local part, delta = hold.parts[at], amounts[at]
  local account = account_of(part.name)
  if part.enforce == 'h' and account.limit then
    local rest = available(account, account.limit)
    if less(rest, delta) then return { 'refused', printed(at - 1), text_of(rest) } end
  end
  part.amount, account.held = add(part.amount, delta), add(account.held, delta)
  if not fits(part.amount) or not fits(account.held) then return { 'overflow' } end
  touch(account)
  moved(draft, account, 'held', delta)
end
if not is_empty(draft) then write(draft, 'extend', now, hex, '{}') end
hold.extensions, hold.suspect = number, false
set_hold(id, hold, now + lease)
commit()
return { 'extended' }
