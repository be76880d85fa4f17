-- A request as it asks to be admitted.

local function take_list(item)
  local list = {}
  for at = 1, take_number() do list[at] = item() end
  return list
end

local function take_request()
  local request = { id = take(), hex = take(), fingerprint = take(), lease = take_number(), note = take() }
  request.keys = take_list(take_key_use)
  request.slots = take_list(function() return { name = take(), count_max = take_number() } end)
  request.rates = take_list(function() return { name = take(), increment = take_number(), window = take_number() } end)
  request.parts = take_list(function()
    local part = { base = take(), name = take(), limit = take(), enforce = take(), amount = take_exact() }
    part.limit = part.limit ~= '-' and exact(part.limit, 'argument')
    return part
  end)
  return request
end

-- The hold of a request.
local function held(request, fence, extensions)
  local hold = { fingerprint = request.fingerprint, suspect = false, fence = fence, extensions = extensions, parts = {}, slots = {} }
  for at = 1, #request.parts do
    local part = request.parts[at]
    hold.parts[at] = { name = part.name, amount = part.amount, enforce = part.enforce }
  end
  for at = 1, #request.slots do hold.slots[at] = request.slots[at].name end
  return hold
end

local function last_fence()
  local stored = call('HGET', T .. ':head', 'n')
  return stored and exact(stored, 'fence') or ZERO
end
