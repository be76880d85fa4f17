//! Codes of Indian banks, the first four letters of a branch code (list of the Reserve Bank of India); sorted.

pub(in crate::pii) const BANKS: &[&str] = &[
    "ABHY", "ABNA", "ABPB", "ADCB", "ADCC", "AIRP", "AJAR", "AKJB", "AMCB", "AMDN", "ANDB", "APBL", "APGB", "APGV",
    "APMC", "ASBL", "AUBL", "AUCB", "BACB", "BARA", "BARB", "BARC", "BBKM", "BCBM", "BCEY", "BDBL", "BKDN", "BKID",
    "BMBL", "BNPA", "BOFA", "BOTM", "BOTW", "CAPG", "CBIN", "CCBL", "CGBX", "CGGX", "CHAS", "CITI", "CIUB", "CLBL",
    "CNRB", "COAS", "CORP", "COSB", "CRES", "CRLY", "CRUB", "CSBK", "CTBA", "CTCB", "DBSS", "DCBL", "DEOB", "DEUT",
    "DLSC", "DLXB", "DMKJ", "DNSB", "DOHB", "DURG", "EBIL", "EIBI", "EPFO", "EQUI", "ESAF", "ESFB", "ESMF", "FDRL",
    "FINO", "FIRN", "FSFB", "GBCB", "GDCB", "GGBK", "GSCB", "GUNX", "HCBL", "HDFC", "HDFF", "HPSC", "HSBC", "HVBK",
    "IBBK", "IBKL", "IBKO", "ICBK", "ICIC", "IDFB", "IDIB", "IDUK", "INDB", "IOBA", "IPOS", "IPPB", "ITBL", "ITDC",
    "JAKA", "JANA", "JASB", "JIOP", "JJSB", "JMCB", "JPCB", "JSBL", "JSBP", "JSFB", "JSTX", "KACE", "KANG", "KARB",
    "KBKB", "KCBL", "KCCB", "KDNX", "KGRB", "KJSB", "KKBK", "KLGB", "KNSB", "KOEX", "KOLH", "KRTH", "KSCB", "KUCB",
    "KVBL", "KVGB", "LAVB", "MAHB", "MAHG", "MCBL", "MDBK", "MDCB", "MDGX", "MHCB", "MKPB", "MRTI", "MSBL", "MSCI",
    "MSHQ", "MSLM", "MSNU", "MUBL", "MVCB", "NATA", "NBAD", "NBRD", "NESF", "NGSB", "NICB", "NKGS", "NMCB", "NMGB",
    "NNSB", "NOSC", "NSPB", "NTBL", "NUCB", "NVNM", "ORBC", "ORCB", "PASX", "PJSB", "PKGB", "PMCB", "PMEC", "PSIB",
    "PUCB", "PUNB", "PYTM", "QNBA", "RABO", "RATN", "RBIH", "RBIS", "RMGB", "RNSB", "RRBP", "RSBL", "RSCB", "SABR",
    "SAHE", "SANT", "SBBJ", "SBHY", "SBIN", "SBLS", "SBMY", "SBTR", "SCBL", "SDCB", "SDCE", "SHBK", "SIBL", "SIDB",
    "SIDC", "SJSB", "SKSB", "SLIC", "SMBC", "SMCB", "SOGE", "SPCB", "SRCB", "SSFB", "STBP", "STCB", "SUNB", "SURY",
    "SUSB", "SUTB", "SVBL", "SVCB", "SVSH", "SYNB", "TBSB", "TDCB", "TGMB", "THRS", "TJSB", "TMBL", "TMSB", "TNSC",
    "TSAB", "TSSB", "TUMX", "UBIN", "UCBA", "UJVN", "UOVB", "USFB", "UTBI", "UTIB", "UTKS", "VARA", "VASJ", "VCOB",
    "VIJB", "VSBL", "VVSB", "WBSC", "WPAC", "YESB", "ZCBL", "ZSBL",
];
