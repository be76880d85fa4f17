-- What a key says to one that waits for it. `TenantState::key`.

local now = take_time()
local _, answer = look(take_key_use(), now)
return answer or { 'free' }
