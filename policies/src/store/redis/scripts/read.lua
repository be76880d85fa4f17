-- One reading command on a key of the tenant: a script, so that its answer ends in a token as all others do.

local command, key = take(), T .. ':' .. take()
return { call(command, key, unpack(ARGV, 3, #ARGV - 1)) }
