//! The demonstration's people and departments, the same at every start.

use anyhow::Result;
use domain::consultation::ConsultationType;
use domain::order::Role;
use domain::{DepartmentId, Money, UserId};
use engine::clock::Clock;
use std::hash::{DefaultHasher, Hash, Hasher};
use store::{Department, Doctor, Store, User, UserStatus};
use uuid::{Builder, Uuid};

/// Everybody's password.
pub const PASSWORD: &str = "apricot-grove-1";

/// Large repairs need two people.
const SECOND_OPERATOR: &str = "operator2";
/// Whoever is made last.
const LAST: &str = "admin1";
const PATIENTS: usize = 50;
const SURNAMES: [&str; 10] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴"];
const GIVEN: [&str; 7] = ["秀英", "建国", "晓梅", "志强", "雨桐", "浩然", "思远"];

/// Code, Chinese, English, what its doctors treat.
const DEPARTMENTS: [(&str, &str, &str, [&str; 4]); 3] = [
    (
        "internal",
        "内科",
        "Internal medicine",
        ["头痛", "高血压", "胃痛", "失眠"],
    ),
    (
        "pediatrics",
        "儿科",
        "Pediatrics",
        ["发热", "咳嗽", "湿疹", "腹泻"],
    ),
    (
        "tcm",
        "中医科",
        "Traditional Chinese medicine",
        ["调理", "颈椎", "月经", "疲劳"],
    ),
];

/// Makes whoever is not there yet: a start that was killed in the middle left some of them, and an
/// older demonstration lacks who came later.
pub async fn seed(store: &Store, clock: &dyn Clock) -> Result<()> {
    if is_there(store, LAST).await? && is_there(store, SECOND_OPERATOR).await? {
        return Ok(());
    }
    // One hash for all: the password is printed on the screen.
    let hash = api::password::hash(PASSWORD)?;
    let person = |login: &str, role: Role, name: String| User {
        id: UserId(id_of(login)),
        login: format!("{login}@demo.xinglin"),
        password_hash: hash.clone(),
        role,
        name,
        openid: (role == Role::Patient).then(|| format!("demo-openid-{login}")),
        status: UserStatus::Active,
        failed_sign_ins: 0,
        locked_until: None,
        created_at: clock.now(),
    };
    for number in 1..=PATIENTS {
        let login = format!("patient{number}");
        add(store, &person(&login, Role::Patient, name(number))).await?;
    }
    for (index, (code, zh, en, treats)) in DEPARTMENTS.iter().enumerate() {
        let department = Department {
            id: DepartmentId(id_of(code)),
            code: (*code).to_owned(),
            name_zh: (*zh).to_owned(),
            name_en: (*en).to_owned(),
        };
        store.upsert_department(&department).await?;
        for (place, speciality) in treats.iter().enumerate() {
            let number = index * treats.len() + place + 1;
            let user = person(
                &format!("doctor{number}"),
                Role::Doctor,
                name(number * 7 + 3),
            );
            add(store, &user).await?;
            // One who is at work already keeps what is known of them.
            if store.doctor(user.id).await?.is_none() {
                let row = doctor(&user, department.id, speciality, place);
                store.upsert_doctor(&row).await?;
            }
        }
    }
    for (login, name) in [("operator1", "运营一号"), (SECOND_OPERATOR, "运营二号")] {
        add(store, &person(login, Role::Operator, name.to_owned())).await?;
    }
    // Last, because it says that all the others are there.
    add(store, &person(LAST, Role::Admin, "管理员".to_owned())).await?;
    Ok(())
}

async fn is_there(store: &Store, login: &str) -> Result<bool> {
    let login = format!("{login}@demo.xinglin");
    Ok(store.user_by_login(&login).await?.is_some())
}

/// Makes somebody, unless they are there.
async fn add(store: &Store, user: &User) -> Result<()> {
    if store.user_by_login(&user.login).await?.is_none() {
        store.insert_user(user).await?;
    }
    Ok(())
}

fn doctor(user: &User, department: DepartmentId, speciality: &str, place: usize) -> Doctor {
    let title = if place == 0 {
        "主任医师"
    } else {
        "主治医师"
    };
    Doctor {
        user: user.id,
        department,
        name: user.name.clone(),
        title: title.to_owned(),
        specialities: vec![speciality.to_owned()],
        types: vec![
            ConsultationType::Text,
            ConsultationType::Phone,
            ConsultationType::Video,
        ],
        parallel_limit: 5,
        active: 0,
        online: false,
        accepted: 0,
        offered: 0,
        decayed_at: user.created_at,
        stars: 0,
        ratings: 0,
        last_order_at: None,
        price: Money::fen(3000),
    }
}

fn name(number: usize) -> String {
    let surname = SURNAMES[number % SURNAMES.len()];
    let given = GIVEN[number / SURNAMES.len() % GIVEN.len()];
    format!("{surname}{given}")
}

/// The same id for the same name, so that scripts can be written against it.
fn id_of(name: &str) -> Uuid {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, name).hash(&mut hasher);
        hasher.finish().to_be_bytes()
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&half(1));
    bytes[8..].copy_from_slice(&half(2));
    Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::clock::SystemClock;
    use store::testing::fresh_sqlite;

    /// A start may be killed anywhere in the middle: the next one makes whoever is missing.
    #[tokio::test]
    async fn whoever_an_interrupted_start_left_out_is_made_by_the_next() {
        let fresh = fresh_sqlite().await.unwrap();
        let store = &fresh.store;
        let user = |login: &str, role| User {
            id: UserId(id_of(login)),
            login: format!("{login}@demo.xinglin"),
            password_hash: "x".to_owned(),
            role,
            name: login.to_owned(),
            openid: None,
            status: UserStatus::Active,
            failed_sign_ins: 0,
            locked_until: None,
            created_at: SystemClock.now(),
        };
        // The first patient, and a doctor of whom only the sign-in was written.
        for (login, role) in [("patient1", Role::Patient), ("doctor1", Role::Doctor)] {
            store.insert_user(&user(login, role)).await.unwrap();
        }
        for _ in 0..2 {
            seed(store, &SystemClock).await.unwrap();
        }
        for login in [
            "patient1",
            "patient50",
            "doctor12",
            "operator1",
            SECOND_OPERATOR,
            LAST,
        ] {
            assert!(is_there(store, login).await.unwrap(), "{login}");
        }
        for number in 1..=12 {
            let id = UserId(id_of(&format!("doctor{number}")));
            assert!(store.doctor(id).await.unwrap().is_some(), "doctor{number}");
        }
        let kept = store.user_by_login("patient1@demo.xinglin").await.unwrap();
        assert_eq!(kept.unwrap().name, "patient1", "nobody is made anew");
        fresh.close().await.unwrap();
    }
}
