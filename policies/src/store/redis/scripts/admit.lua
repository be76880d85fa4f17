-- Lets a request in, or does not: keys, places, rates and budgets, all or nothing. `TenantState::admit`.

local now = take_time()
local request = take_request()

local function admitted(again, fence)
  local answer = { 'admitted', again, printed(now), fence }
  for at = 1, #request.parts do
    local account = account_of(request.parts[at].name)
    answer[#answer + 1] = account.limit and text_of(available(account, account.limit)) or '-'
  end
  for at = 1, #request.rates do
    local rate = request.rates[at]
    answer[#answer + 1] = printed(resting(arrival_of(rate.name), now, rate.window))
  end
  return answer
end

-- The limit that holds: the operator's, if there is one, else the configured one.
local function limit_of(part, set)
  if not set then return part.limit end
  local kind, amount = string.match(set, '^%d+ (%l)(%-?%d*)$')
  if kind == 'a' then return exact(amount, 'limit of ' .. part.base) end
  if kind == 'u' then return false end
  if kind == 'c' then return part.limit end
  corrupt('limit of ' .. part.base)
end

local function set_limits()
  local bases = {}
  for at = 1, #request.parts do bases[at] = request.parts[at].base end
  if #bases == 0 then return end
  local sets = call('HMGET', T .. ':o', unpack(bases))
  for at = 1, #bases do request.parts[at].limit = limit_of(request.parts[at], sets[at]) end
end

local function refused_by_slots()
  for at = 1, #request.slots do
    local slot = request.slots[at]
    if call('ZCOUNT', T .. ':s:' .. slot.name, '(' .. printed(now), '+inf') >= slot.count_max then
      return { 'slot', printed(at - 1) }
    end
  end
end

-- Of several limits that refuse, the one that refuses longest is told.
local function refused_by_rates()
  local worst, longest
  for at = 1, #request.rates do
    local rate = request.rates[at]
    local due, wait = charge(arrival_of(rate.name), now, rate)
    rate.due = due
    if wait and (not worst or wait > longest) then worst, longest = at, wait end
  end
  if worst then
    return { 'rate', printed(worst - 1), longest == math.huge and 'never' or printed(longest) }
  end
end

local function refused_by_budgets()
  set_limits()
  for at = 1, #request.parts do
    local part = request.parts[at]
    local account = account_of(part.name)
    if part.enforce == 'h' and part.limit then
      local rest = available(account, part.limit)
      if less(rest, part.amount) then return { 'budget', printed(at - 1), text_of(rest) } end
    end
  end
end

local function overflows()
  for at = 1, #request.parts do
    local part = request.parts[at]
    if not fits(add(account_of(part.name).held, part.amount)) then return { 'overflow' } end
  end
end

-- The requests whose keys are taken over, in order and each once; or the answer of a key that forbids this one.
local function look_at_keys()
  local over, seen = {}, {}
  for at = 1, #request.keys do
    local holder, answer = look(request.keys[at], now)
    if answer then
      local keyed = { 'keyed', printed(at - 1) }
      for each = 1, #answer do keyed[#keyed + 1] = answer[each] end
      return nil, keyed
    end
    if holder and not seen[holder] then
      seen[holder] = true
      over[#over + 1] = { id = holder, hex = hex_of(holder) }
    end
  end
  table.sort(over, function(one, other) return one.hex < other.hex end)
  return over, nil
end

local function take_keys()
  if #request.keys == 0 then return '0' end
  local fence = text_of(add(last_fence(), ONE))
  later('HSET', T .. ':head', 'n', fence)
  for at = 1, #request.keys do
    local use = request.keys[at]
    set_record(use.hash, use.fingerprint, request.id, 'r', now + use.lease, use.keep, now)
  end
  return fence
end

local function take_limits()
  for at = 1, #request.slots do occupy(request.slots[at].name, request.id, now + request.lease, now) end
  for at = 1, #request.rates do set_arrival(request.rates[at].name, request.rates[at].due, now) end
end

local function take_money()
  local draft = new_draft()
  for at = 1, #request.parts do
    local part = request.parts[at]
    local account = account_of(part.name)
    local same = account.known and (account.limit and text_of(account.limit)) == (part.limit and text_of(part.limit))
    if not same then limited(draft, account.name, part.limit) end
    moved(draft, account, 'held', part.amount)
    account.limit, account.held = part.limit, add(account.held, part.amount)
    touch(account)
  end
  if not is_empty(draft) then write(draft, 'hold', now, request.hex, request.note) end
end

local code = finished(request.id, request.hex)
if code then return { 'finished', code } end
local before = hold_of(request.id)
if before then
  if before.fingerprint == request.fingerprint then return admitted('1', before.fence) end
  return { 'conflict' }
end
local taken_over, keyed = look_at_keys()
if keyed then return keyed end
local refused = refused_by_slots() or refused_by_rates() or refused_by_budgets() or overflows()
if refused then return refused end

for at = 1, #taken_over do
  local dead = taken_over[at]
  -- one without a hold has ended, and how it did stands
  if hold_of(dead.id) then give_back(dead.id, dead.hex, 'to', 'taken_over', now, '{}') end
end
local fence = take_keys()
take_limits()
take_money()
set_hold(request.id, held(request, fence, '0'), now + request.lease)
commit()
return admitted('0', fence)
