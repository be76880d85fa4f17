-- Marks that a request is about to be sent, if its keys are still its own. `TenantState::dispatch`.

local id = take()
for at = 1, take_number() do
  local hash = take()
  local record = record_of(hash)
  if not record or record.holder ~= id or (record.state ~= 'r' and record.state ~= 'd') then return { 'lost' } end
  if record.state == 'r' then later('HSET', T .. ':k:' .. hash, 't', 'd') end
end
commit()
return { 'go' }
