//! Prefixes of keys and tokens as their services document them, by first letter.

use crate::pii::swallow::Alphabet::{self, Base64, Capitals, Dotted, Hex, Path, Word};

/// How the keys of one service look.
pub(in crate::pii) struct Prefix {
    pub text: &'static str,
    /// Fewest characters after the prefix.
    pub least: usize,
    pub alphabet: Alphabet,
    /// Exactly so many characters.
    pub exact: bool,
}

const fn at_least(text: &'static str, least: usize, alphabet: Alphabet) -> Prefix {
    Prefix { text, least, alphabet, exact: false }
}

const fn exactly(text: &'static str, least: usize, alphabet: Alphabet) -> Prefix {
    Prefix { text, least, alphabet, exact: true }
}

/// Those that begin with this letter.
pub(in crate::pii) const fn prefixes(first: u8) -> &'static [Prefix] {
    match first {
        b'A' => UNDER_A_CAPITAL,
        b'E' => UNDER_E_CAPITAL,
        b'G' => UNDER_G_CAPITAL,
        b'P' => UNDER_P_CAPITAL,
        b'S' => UNDER_S_CAPITAL,
        b'c' => UNDER_C,
        b'd' => UNDER_D,
        b'f' => UNDER_F,
        b'g' => UNDER_G,
        b'h' => UNDER_H,
        b'k' => UNDER_K,
        b'l' => UNDER_L,
        b'n' => UNDER_N,
        b'o' => UNDER_O,
        b'p' => UNDER_P,
        b'r' => UNDER_R,
        b's' => UNDER_S,
        b't' => UNDER_T,
        b'w' => UNDER_W,
        b'x' => UNDER_X,
        b'y' => UNDER_Y,
        _ => &[],
    }
}

const UNDER_A_CAPITAL: &[Prefix] = &[
    exactly("AKIA", 16, Capitals),
    exactly("ASIA", 16, Capitals),
    exactly("ABIA", 16, Capitals),
    exactly("ACCA", 16, Capitals),
    at_least("AIza", 34, Word),
    at_least("AGE-SECRET-KEY-1", 50, Word),
    at_least("ATATT3", 60, Base64),
    exactly("AC", 32, Hex),
    at_least("ATBB", 24, Word),
];

const UNDER_E_CAPITAL: &[Prefix] =
    &[at_least("EAAC", 40, Word), at_least("EAAG", 40, Word), at_least("EAAAE", 40, Word)];

const UNDER_G_CAPITAL: &[Prefix] = &[at_least("GOCSPX-", 24, Word), at_least("GR1348941", 16, Word)];

const UNDER_P_CAPITAL: &[Prefix] = &[at_least("PMAK-", 40, Word)];

const UNDER_S_CAPITAL: &[Prefix] = &[exactly("SK", 32, Hex), at_least("SG.", 40, Dotted)];

const UNDER_C: &[Prefix] = &[at_least("cfsk_", 20, Word)];

const UNDER_D: &[Prefix] = &[
    at_least("dop_v1_", 40, Hex),
    at_least("doo_v1_", 40, Hex),
    at_least("dor_v1_", 40, Hex),
    at_least("dckr_pat_", 20, Word),
    at_least("dapi", 32, Hex),
];

const UNDER_F: &[Prefix] = &[at_least("figd_", 30, Word)];

const UNDER_G: &[Prefix] = &[
    at_least("ghp_", 30, Word),
    at_least("gho_", 30, Word),
    at_least("ghu_", 30, Word),
    at_least("ghs_", 30, Word),
    at_least("ghr_", 30, Word),
    at_least("github_pat_", 22, Word),
    at_least("glpat-", 18, Dotted),
    at_least("gldt-", 18, Word),
    at_least("glrt-", 18, Word),
    at_least("glptt-", 18, Word),
    at_least("glsa_", 30, Word),
    at_least("glc_", 30, Base64),
    at_least("gsk_", 40, Word),
];

const UNDER_H: &[Prefix] = &[
    at_least("hf_", 30, Word),
    at_least("hvs.", 20, Word),
    at_least("hvb.", 20, Word),
    at_least("https://hooks.slack.com/services/", 20, Path),
    at_least("https://discord.com/api/webhooks/", 20, Path),
];

const UNDER_K: &[Prefix] = &[exactly("key-", 32, Hex)];

const UNDER_L: &[Prefix] = &[at_least("lin_api_", 30, Word)];

const UNDER_N: &[Prefix] = &[at_least("npm_", 30, Word), at_least("nvapi-", 30, Word), at_least("ntn_", 30, Word)];

const UNDER_O: &[Prefix] = &[at_least("ops_eyJ", 40, Word)];

const UNDER_P: &[Prefix] = &[
    at_least("pypi-AgE", 30, Word),
    at_least("pplx-", 30, Word),
    at_least("phc_", 30, Word),
    at_least("pat_", 40, Word),
];

const UNDER_R: &[Prefix] = &[
    at_least("rk_live_", 14, Word),
    at_least("rk_test_", 14, Word),
    at_least("rzp_live_", 12, Word),
    at_least("rzp_test_", 12, Word),
    at_least("r8_", 30, Word),
    at_least("rubygems_", 30, Word),
];

const UNDER_S: &[Prefix] = &[
    at_least("sk-ant-", 20, Word),
    at_least("sk-proj-", 20, Word),
    at_least("sk-svcacct-", 20, Word),
    at_least("sk-or-v1-", 20, Word),
    at_least("sk-", 20, Word),
    at_least("sk_live_", 14, Word),
    at_least("sk_test_", 14, Word),
    at_least("shpat_", 30, Hex),
    at_least("shpss_", 30, Hex),
    at_least("shpca_", 30, Hex),
    at_least("shppa_", 30, Hex),
    at_least("sq0atp-", 20, Word),
    at_least("sq0csp-", 20, Word),
    at_least("sntrys_", 30, Base64),
    at_least("sbp_", 32, Word),
    at_least("secret_", 32, Word),
];

const UNDER_T: &[Prefix] = &[at_least("tfp_", 30, Word)];

const UNDER_W: &[Prefix] = &[at_least("whsec_", 20, Base64)];

const UNDER_X: &[Prefix] = &[
    at_least("xoxb-", 12, Word),
    at_least("xoxp-", 12, Word),
    at_least("xoxa-", 12, Word),
    at_least("xoxo-", 12, Word),
    at_least("xoxr-", 12, Word),
    at_least("xoxs-", 12, Word),
    at_least("xoxe.", 12, Dotted),
    at_least("xapp-", 12, Word),
    at_least("xai-", 40, Word),
];

const UNDER_Y: &[Prefix] = &[at_least("ya29.", 20, Dotted)];
