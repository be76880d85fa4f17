-- Makes holds suspect that nobody renewed, and voids those that were suspect for too long. `TenantState::reap`.

local now = take_time()
local grace, count_max = take_number(), take()
local suspect, voided = {}, {}
local due = call('ZRANGEBYSCORE', T .. ':x', '-inf', printed(now), 'LIMIT', '0', count_max)
for at = 1, #due do
  local id = due[at]
  local hold, hex = hold_of(id), hex_of(id)
  if hold.suspect then
    give_back(id, hex, 'un', 'unresolved', now, '{}')
    voided[#voided + 1] = id
  else
    if #hold.parts > 0 then write(new_draft(), 'suspect', now, hex, '{}') end
    hold.suspect = true
    set_hold(id, hold, now + grace)
    suspect[#suspect + 1] = id
  end
end
commit()
return { suspect, voided }
