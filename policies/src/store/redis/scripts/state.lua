-- What an operation changes, gathered while it reads, and written at its end: first all reads and checks, then all
-- writes. A script that finds something wrong has written nothing, so that nothing has to be undone.

-- How long something is kept beyond the time at which it means nothing any more, in milliseconds.
local SPARE_MS = 60000

local accounts, touched = {}, {}
local lines, writes = {}, {}
local head_version, head_hash

-- A write to make at the end.
local function later(...) writes[#writes + 1] = { ... } end

-- How long to keep what matters until then.
local function kept_ms(till, now) return printed(math.max(0, math.ceil((till - now) / 1000)) + SPARE_MS) end

local function account_of(name)
  local known = accounts[name]
  if known then return known end
  local row = call('HMGET', T .. ':a:' .. name, 'l', 't', 'h', 's')
  local account = { name = name, limit = false, topped = ZERO, held = ZERO, spent = ZERO }
  if row[1] or row[2] or row[3] or row[4] then
    account.known = true
    if row[1] ~= '-' then account.limit = exact(row[1], name) end
    account.topped, account.held, account.spent = exact(row[2], name), exact(row[3], name), exact(row[4], name)
  end
  accounts[name] = account
  return account
end

local function touch(account)
  if not account.touched then
    account.touched = true
    touched[#touched + 1] = account
  end
end

-- What can be spent with this limit, which may be another than the one that is stored.
local function available(account, limit)
  local sum = subtract(subtract(add(limit, account.topped), account.held), account.spent)
  return clamped(sum)
end

local function new_draft() return { at = {}, set = {}, flags = {} } end

-- A number moved. What did not move is not told.
local function moved(draft, account, field, delta)
  if not is_zero(delta) then
    draft.at[#draft.at + 1] = '["' .. account.name .. '","' .. field .. '","' .. text_of(delta) .. '"]'
  end
end

-- A limit changed.
local function limited(draft, name, limit)
  local told = limit and '"' .. text_of(limit) .. '"' or 'null'
  draft.set[#draft.set + 1] = '["' .. name .. '",' .. told .. ']'
end

local function flag(draft, word) draft.flags[#draft.flags + 1] = '"' .. word .. '"' end

local function is_empty(draft) return #draft.at == 0 and #draft.set == 0 end

local function read_head()
  local row = call('HMGET', T .. ':head', 'v', 'h')
  if not row[1] and not row[2] then
    head_version, head_hash = 0, string.rep('0', 40)
    return
  end
  head_version, head_hash = whole(row[1], 'head'), row[2]
  if not string.match(head_hash or '', '^%x+$') or #head_hash ~= 40 then corrupt('head') end
end

-- One more line. The same bytes as `Draft::finish` makes.
local function write(draft, op, now, id, note)
  if not head_version then read_head() end
  head_version = head_version + 1
  local body = {
    '{"v":', printed(head_version), ',"ts":', printed(now), ',"op":"', op, '","id":"', id, '","at":[',
    table.concat(draft.at, ','), ']',
  }
  if #draft.set > 0 then body[#body + 1] = ',"set":[' .. table.concat(draft.set, ',') .. ']' end
  if #draft.flags > 0 then body[#body + 1] = ',"flags":[' .. table.concat(draft.flags, ',') .. ']' end
  body[#body + 1] = ',"note":' .. note .. '}'
  local text = table.concat(body)
  head_hash = redis.sha1hex(head_hash .. text)
  lines[#lines + 1] = { printed(head_version), text, head_hash }
end

-- All writes. The lines go first: Redis refuses one whose number is not higher than the last, and then the head was lost
-- and nothing may be written. The rest cannot fail: what is written was read before and is of the right type.
local function commit()
  for at = 1, #lines do
    local line = lines[at]
    local added = redis.pcall('XADD', T .. ':l', line[1] .. '-0', 'b', line[2], 'h', line[3])
    if type(added) == 'table' and added.err then
      if string.find(added.err, 'equal or smaller', 1, true) then corrupt('head') end
      error(added)
    end
  end
  if #lines > 0 then call('HSET', T .. ':head', 'v', printed(head_version), 'h', head_hash) end
  for at = 1, #touched do
    local account = touched[at]
    local limit = account.limit and text_of(account.limit) or '-'
    call('HSET', T .. ':a:' .. account.name, 'l', limit, 't', text_of(account.topped), 'h', text_of(account.held),
      's', text_of(account.spent))
    -- A space sorts before everything that a name may hold: the index is in the order of base, then window.
    if not account.known then call('ZADD', T .. ':i', '0', (string.gsub(account.name, '@', ' '))) end
  end
  for at = 1, #writes do call(unpack(writes[at])) end
end
