//! Finds a browser and its driver for the tests that need one, and installs them where that is
//! allowed.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::postgres::tools::{apt_get, in_path, is_root};

/// A browser without a screen, and what steers it.
pub struct Browser {
    /// Chromium.
    pub browser: PathBuf,
    /// Its WebDriver.
    pub driver: PathBuf,
}

impl Browser {
    /// Finds them in PATH; installs Debian's packages if missing, as root.
    pub fn find_or_install() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        let missing = "Chromium or its driver is missing (chromium, chromedriver in PATH)";
        if !(is_root()? && in_path("apt-get").is_some()) {
            bail!(
                "{missing}: install them, for example `sudo apt-get install chromium chromium-driver`"
            );
        }
        println!("{missing}: installing them with apt-get");
        apt_get(&["update"])?;
        let packages = ["chromium", "chromium-driver"];
        let install = ["install", "--yes", "--no-install-recommends"];
        apt_get(&[&install[..], &packages].concat()).context("cannot install Chromium")?;
        Self::find().with_context(|| format!("{missing}, even after installing the packages"))
    }

    fn find() -> Option<Self> {
        let named = |program: &str| {
            let path = std::env::var_os("PATH")?;
            std::env::split_paths(&path)
                .map(|folder| folder.join(program))
                .find(|file| file.is_file())
        };
        Some(Self {
            browser: named("chromium")?,
            driver: named("chromedriver")?,
        })
    }
}
