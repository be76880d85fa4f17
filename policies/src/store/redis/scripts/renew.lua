-- Keeps a hold alive; makes it again if the store lost it. `TenantState::renew`.

local now = take_time()
local request = take_request()
local fence, extensions = take_exact(), take()
local expires_at = now + request.lease

-- The money is spent or about to be, so limits are not asked: new requests are refused instead.
local function recreate()
  local hold, draft = held(request, text_of(fence), extensions), new_draft()
  for at = 1, #hold.parts do
    local part = hold.parts[at]
    local account = account_of(part.name)
    local all = clamped(add(account.held, part.amount))
    part.amount = subtract(all, account.held)
    if not account.known then
      account.limit = request.parts[at].limit
      limited(draft, account.name, account.limit)
    end
    moved(draft, account, 'held', part.amount)
    account.held = all
    touch(account)
  end
  if not is_empty(draft) then
    flag(draft, 'recreated')
    write(draft, 'hold', now, request.hex, request.note)
  end
  set_hold(request.id, hold, expires_at)
end

local function renew_keys()
  for at = 1, #request.keys do
    local use = request.keys[at]
    local record = live_record(use.hash, now)
    -- Forgotten by the store: nobody may take it over.
    local state = 'd'
    if record then state = record.holder == request.id and record.state or 'other' end
    if state == 'r' or state == 'd' then
      set_record(use.hash, use.fingerprint, request.id, state, now + use.lease, use.keep, now)
    end
  end
end

local code = finished(request.id, request.hex)
if code then return { 'finished', code } end
local hold, answer = hold_of(request.id), 'renewed'
if not hold then
  recreate()
  answer = 'recreated'
elseif hold.suspect then
  hold.suspect = false
  set_hold(request.id, hold, expires_at)
else
  expire_hold(request.id, expires_at)
end
for at = 1, #request.slots do occupy(request.slots[at].name, request.id, expires_at, now) end
renew_keys()
if less(last_fence(), fence) then later('HSET', T .. ':head', 'n', text_of(fence)) end
commit()
return { answer }
