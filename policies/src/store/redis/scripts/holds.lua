-- What requests hold. A hold is one field of a hash, and its expiry stands in a sorted set.

local function hex_of(id)
  return (string.gsub(id, '.', function(byte) return format('%02x', string.byte(byte)) end))
end

local function unpack_hold(packed, id)
  local read, row = pcall(cmsgpack.unpack, packed)
  local whole_row = read and type(row) == 'table' and type(row[1]) == 'string' and #row[1] == 32
    and type(row[5]) == 'table' and type(row[6]) == 'table' and #row[5] % 3 == 0
  if not whole_row then corrupt('hold ' .. hex_of(id)) end
  exact(row[3], 'hold')
  whole(row[4], 'hold')
  local hold = { fingerprint = row[1], suspect = row[2] == '1', fence = row[3], extensions = row[4], parts = {}, slots = row[6] }
  for at = 1, #row[5], 3 do
    local name, enforce = row[5][at], row[5][at + 2]
    if type(name) ~= 'string' or (enforce ~= 'h' and enforce ~= 's') then corrupt('hold ' .. hex_of(id)) end
    hold.parts[#hold.parts + 1] = { name = name, amount = exact(row[5][at + 1], 'hold'), enforce = enforce }
  end
  return hold
end

local function hold_of(id)
  local packed, expiry = call('HGET', T .. ':h', id), call('ZSCORE', T .. ':x', id)
  if not packed and not expiry then return nil end
  if not packed or not expiry then corrupt('hold ' .. hex_of(id)) end
  return unpack_hold(packed, id)
end

local function expire_hold(id, expires_at) later('ZADD', T .. ':x', printed(expires_at), id) end

local function set_hold(id, hold, expires_at)
  local parts = {}
  for at = 1, #hold.parts do
    local part = hold.parts[at]
    parts[#parts + 1] = part.name
    parts[#parts + 1] = text_of(part.amount)
    parts[#parts + 1] = part.enforce
  end
  local row = { hold.fingerprint, hold.suspect and '1' or '0', hold.fence, hold.extensions, parts, hold.slots }
  later('HSET', T .. ':h', id, cmsgpack.pack(row))
  expire_hold(id, expires_at)
end

local function occupy(slot, id, till, now)
  local key = T .. ':s:' .. slot
  later('ZREMRANGEBYSCORE', key, '-inf', printed(now))
  later('ZADD', key, printed(till), id)
end

-- Ends a hold: its money and places are free.
local function release(id, hold, draft)
  later('HDEL', T .. ':h', id)
  later('ZREM', T .. ':x', id)
  for at = 1, #hold.parts do
    local part = hold.parts[at]
    local account = account_of(part.name)
    account.held = subtract(account.held, part.amount)
    touch(account)
    moved(draft, account, 'held', subtract(ZERO, part.amount))
  end
  for at = 1, #hold.slots do later('ZREM', T .. ':s:' .. hold.slots[at], id) end
end

-- Ends a request without a charge; also one whose admission may still be on its way.
local function give_back(id, hex, code, word, now, note)
  local ended, key, is_new = finished(id, hex)
  local hold, draft = hold_of(id), new_draft()
  if hold then release(id, hold, draft) end
  if not is_empty(draft) then
    flag(draft, word)
    write(draft, 'void', now, hex, note)
  end
  if not ended then finish(key, id, code, is_new) end
end
