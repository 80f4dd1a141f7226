use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an action applies: an ISO 3166-1 alpha-2 country code, or `EU` for the Union's 27 Member States.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Territory([u8; 2]);

/// The officially assigned codes of ISO 3166-1 alpha-2.
const ISO_3166_1: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// The Member States of the European Union.
const EU_MEMBERS: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

impl Territory {
    /// The European Union.
    pub const EU: Self = Self(*b"EU");

    /// The two-letter code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two ASCII letters")
    }

    /// Whether the two have ground in common: they are the same, or one is the Union and the other a member of it.
    pub fn overlaps(self, other: Self) -> bool {
        let member = |territory: Self| EU_MEMBERS.split(' ').any(|code| code == territory.code());
        self == other || (self == Self::EU && member(other)) || (other == Self::EU && member(self))
    }
}

/// Whether a list for these `territories` binds a provider under these `jurisdictions`. An empty slice means everywhere.
pub fn accepts(jurisdictions: &[Territory], territories: &[Territory]) -> bool {
    let overlap = |j: &Territory| territories.iter().any(|t| j.overlaps(*t));
    jurisdictions.is_empty() || territories.is_empty() || jurisdictions.iter().any(overlap)
}

/// Text that names no territory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownTerritory(String);

impl fmt::Display for UnknownTerritory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown territory {:?}: expected an ISO 3166-1 code such as DE, or EU", self.0)?;
        match self.0.to_ascii_uppercase().as_str() {
            "UK" => f.write_str("; the United Kingdom is GB"),
            upper if upper != self.0 && upper.parse::<Territory>().is_ok() => {
                write!(f, "; did you mean {upper}?")
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for UnknownTerritory {}

impl FromStr for Territory {
    type Err = UnknownTerritory;

    fn from_str(code: &str) -> Result<Self, UnknownTerritory> {
        let known = code == "EU" || ISO_3166_1.split(' ').any(|known| known == code);
        match code.as_bytes() {
            [a, b] if known => Ok(Self([*a, *b])),
            _ => Err(UnknownTerritory(code.to_owned())),
        }
    }
}

impl TryFrom<String> for Territory {
    type Error = UnknownTerritory;
    fn try_from(code: String) -> Result<Self, UnknownTerritory> {
        code.parse()
    }
}

impl From<Territory> for String {
    fn from(territory: Territory) -> Self {
        territory.code().to_owned()
    }
}

impl fmt::Display for Territory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn territories(codes: &str) -> Vec<Territory> {
        codes.split_whitespace().map(|code| code.parse().unwrap()).collect()
    }

    #[test]
    fn codes() {
        assert_eq!(ISO_3166_1.split(' ').count(), 249);
        assert_eq!(territories(EU_MEMBERS).len(), 27);
        assert_eq!("DE".parse::<Territory>().unwrap().to_string(), "DE");
        let error = |code: &str| code.parse::<Territory>().unwrap_err().to_string();
        assert!(error("de").ends_with("did you mean DE?"), "{}", error("de"));
        assert!(error("UK").ends_with("is GB"), "{}", error("UK"));
        assert!(error("D E").ends_with("or EU"), "{}", error("D E"));
    }

    #[test]
    fn who_is_bound() {
        for (jurisdictions, of_the_list, bound) in [
            ("", "", true),
            ("", "FR", true),
            ("FR", "", true),
            ("FR", "FR DE", true),
            ("FR", "DE", false),
            ("FR", "EU", true),
            ("EU", "FR", true),
            ("CH", "EU", false),
            ("CH US", "EU US", true),
        ] {
            assert_eq!(
                accepts(&territories(jurisdictions), &territories(of_the_list)),
                bound,
                "{jurisdictions} / {of_the_list}"
            );
        }
    }
}
