-- Drops accounts whose windows have been over for the grace and that hold nothing. `TenantState::drop_past`.

local now = take_time()
local after, looked_max, dropped_max, grace = take(), take_number(), take_number(), take_number()

-- `day_number` of `Window`.
local function day_number(year, month, day)
  if month > 2 then month = month - 3 else year, month = year - 1, month + 9 end
  local floor = math.floor
  return year * 365 + floor(year / 4) - floor(year / 100) + floor(year / 400) + floor((153 * month + 2) / 5) + day - 719469
end

-- When a window is over wherever its tenant is; nil for one that has no end. `Window::over_by`.
local function over_by(window)
  local year, month, rest = string.match(window, '^(%d%d%d%d)%-(%d%d)(.*)$')
  if not year then return nil end
  year, month = tonumber(year), tonumber(month)
  if year < 1970 or month < 1 or month > 12 then return nil end
  local next_day
  if rest == '' then
    next_day = month == 12 and day_number(year + 1, 1, 1) or day_number(year, month + 1, 1)
  else
    local day = string.match(rest, '^%-(%d%d)$') or string.match(rest, '^%-(%d%d)T%d%d%%2B%d%d%d%d$')
      or string.match(rest, '^%-(%d%d)T%d%d%-%d%d%d%d$')
    day = tonumber(day or 0)
    if day < 1 or day > 31 then return nil end
    next_day = day_number(year, month, day) + 1
  end
  return (next_day + 1) * 86400000000
end

local looked = call('ZRANGE', T .. ':i', after == '' and '-' or '(' .. after, '+', 'BYLEX', 'LIMIT', '0', printed(looked_max))
local draft, dropped, follows = new_draft(), 0, ''
for at = 1, #looked do
  local name = string.gsub(looked[at], ' ', '@')
  local over = over_by(string.match(looked[at], ' (.*)$') or '')
  if over and over + grace <= now then
    local account = account_of(name)
    if not account.known then corrupt(name) end
    if is_zero(account.held) then
      moved(draft, account, 'spent', subtract(ZERO, account.spent))
      moved(draft, account, 'topped', subtract(ZERO, account.topped))
      later('DEL', T .. ':a:' .. name)
      later('ZREM', T .. ':i', looked[at])
      dropped = dropped + 1
    end
  end
  if at == looked_max or dropped == dropped_max then
    follows = name
    break
  end
end
if not is_empty(draft) then write(draft, 'drop', now, 'past', '{}') end
commit()
return { printed(dropped), follows }
