//! What an error of the server or the connection means: each its own class of [`StoreError`].

use super::super::StoreError;
use super::decode::corrupt;
use redis::{RedisError, ServerError, Value};

/// A request could not be sent or was not answered.
pub(super) fn of_exchange(error: &RedisError) -> StoreError {
    if error.is_timeout() {
        StoreError::Timeout
    } else if error.is_io_error() {
        StoreError::Disconnected
    } else {
        match error.code() {
            Some(code) => of_code(code, error.detail().unwrap_or_default()),
            // bytes that are no Redis protocol
            None => corrupt("an answer that cannot be read"),
        }
    }
}

/// A connection could not be made: nothing was sent yet, so nothing was applied.
pub(super) fn of_connecting(error: &RedisError) -> StoreError {
    if error.kind() == redis::ErrorKind::AuthenticationFailed {
        return StoreError::AccessDenied;
    }
    match error.code().map(|code| of_code(code, error.detail().unwrap_or_default())) {
        Some(known @ (StoreError::AccessDenied | StoreError::Loading)) => known,
        Some(_) | None => StoreError::Unreachable,
    }
}

/// The server's own word.
pub(super) fn of_server(error: &ServerError) -> StoreError {
    of_code(error.code(), error.details().unwrap_or_default())
}

fn of_code(code: &str, detail: &str) -> StoreError {
    match code {
        "LOADING" => StoreError::Loading,
        "READONLY" | "MASTERDOWN" => StoreError::ReadOnly,
        "OOM" => StoreError::OutOfMemory,
        "BUSY" => StoreError::Busy,
        "MISCONF" | "NOREPLICAS" => StoreError::NotDurable,
        "NOAUTH" | "WRONGPASS" | "NOPERM" => StoreError::AccessDenied,
        "CLUSTERDOWN" | "TRYAGAIN" | "MOVED" | "ASK" => StoreError::Unreachable,
        "ERR" if detail.contains("max number of clients") => StoreError::Unreachable,
        _ => StoreError::Corrupt(format!("{code} {detail}")),
    }
}

/// What a command answered; `None`: the server does not have the script.
pub(super) fn of_value(value: Value) -> Result<Option<Value>, StoreError> {
    match value {
        Value::ServerError(error) if error.code() == "NOSCRIPT" => Ok(None),
        Value::ServerError(error) => Err(of_server(&error)),
        value => Ok(Some(value)),
    }
}

/// Whether the server does not serve now, rather than refuse this operation.
pub(super) const fn is_outage(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unreachable
            | StoreError::Timeout
            | StoreError::Disconnected
            | StoreError::Loading
            | StoreError::Busy
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_the_server_has_its_class() {
        let classes = [
            ("LOADING", "loading"),
            ("READONLY", "read_only"),
            ("MASTERDOWN", "read_only"),
            ("OOM", "out_of_memory"),
            ("BUSY", "busy"),
            ("MISCONF", "not_durable"),
            ("NOREPLICAS", "not_durable"),
            ("NOAUTH", "access_denied"),
            ("WRONGPASS", "access_denied"),
            ("NOPERM", "access_denied"),
            ("CLUSTERDOWN", "unreachable"),
            ("TRYAGAIN", "unreachable"),
            ("MOVED", "unreachable"),
            ("ASK", "unreachable"),
            ("RGCORRUPT", "corrupt"),
            ("WRONGTYPE", "corrupt"),
            ("ERR", "corrupt"),
        ];
        for (code, class) in classes {
            assert_eq!(of_code(code, "why").class(), class, "{code}");
        }
        assert_eq!(of_code("ERR", "max number of clients reached"), StoreError::Unreachable);
    }
}
