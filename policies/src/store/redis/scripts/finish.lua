-- The end of a request: `TenantState::settle` and `TenantState::void`. One script for both, so that those that are sent
-- in one go are all known to the server or all not.

local now = take_time()
local kind, id, hex, note = take(), take(), take(), take()
local mark = { gateway = take(), sequence = take(), previous = take() }
local fixes = take_list(function() return { name = take(), delta = take_number(), window = take_number() } end)
local ends = take_list(function()
  local ending = { hash = take(), state = take(), keep = take_number() }
  if ending.state == 'a' then ending.reply = take() end
  return ending
end)

local wastes = take_list(function() return { certainty = take(), note = take() } end)

-- A store that is behind what its sender sent before has lost something.
local have = ZERO
if mark.gateway ~= '' then
  local stored = call('HGET', T .. ':m', mark.gateway)
  have = stored and exact(stored, 'mark of ' .. mark.gateway) or ZERO
  if less(have, exact(mark.previous, 'argument')) then return { 'gap', text_of(have) } end
end

local function arrived()
  if mark.gateway ~= '' and less(have, exact(mark.sequence, 'argument')) then
    later('HSET', T .. ':m', mark.gateway, mark.sequence)
  end
end

local function spend(account, amount, draft)
  local spent = clamped(add(account.spent, amount))
  moved(draft, account, 'spent', subtract(spent, account.spent))
  account.spent = spent
  touch(account)
end

-- Attempts that nobody pays for: only together with an end that was not there before.
local function tell_waste()
  for at = 1, #wastes do
    local draft = new_draft()
    if wastes[at].certainty == 'e' then flag(draft, 'estimated') end
    write(draft, 'waste', now, hex, wastes[at].note)
  end
end

-- Charges it. Never refused: what was spent was spent.
local function settle(key, is_new)
  local amount, certainty = take_exact(), take()
  local names = take_list(take)
  local hold, draft = hold_of(id), new_draft()
  local timing = hold and not hold.suspect and 'in_time' or 'late'
  if hold then
    release(id, hold, draft)
    names = {}
    for at = 1, #hold.parts do names[at] = hold.parts[at].name end
  end
  for at = 1, #names do spend(account_of(names[at]), amount, draft) end
  if timing == 'late' then flag(draft, 'late') end
  if certainty == 'e' then flag(draft, 'estimated') end
  write(draft, 'settle', now, hex, note)
  local ended = text_of(amount)
  finish(key, id, ended, is_new)
  return ended, timing
end

-- Gives it back.
local function void()
  local ended, word = take(), take()
  local hold = hold_of(id)
  local timing = hold and not hold.suspect and 'in_time' or 'late'
  give_back(id, hex, ended, word, now, note)
  return ended, timing
end

local code, key, is_new = finished(id, hex)
local answer
if code and (kind == 'v' or find(code, '^%d+$')) then
  answer = { 'duplicate', code }
else
  local ended, timing
  if kind == 's' then ended, timing = settle(key, is_new) else ended, timing = void() end
  tell_waste()
  fix_rates(fixes, now)
  end_keys(id, ends, now)
  answer = { 'done', ended, timing }
end
arrived()
commit()
return answer
