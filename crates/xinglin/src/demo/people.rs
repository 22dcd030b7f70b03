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

/// Makes them, where they are not there yet.
pub async fn seed(store: &Store, clock: &dyn Clock) -> Result<()> {
    let is_there = async |login: &str| -> Result<bool> {
        let login = format!("{login}@demo.xinglin");
        Ok(store.user_by_login(&login).await?.is_some())
    };
    let is_seeded = is_there("admin1").await?;
    if is_seeded && is_there(SECOND_OPERATOR).await? {
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
    let second = person(SECOND_OPERATOR, Role::Operator, "运营二号".to_owned());
    store.insert_user(&second).await?;
    if is_seeded {
        // A demonstration from before there were two.
        return Ok(());
    }
    for number in 1..=PATIENTS {
        let login = format!("patient{number}");
        store
            .insert_user(&person(&login, Role::Patient, name(number)))
            .await?;
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
            store.insert_user(&user).await?;
            store
                .upsert_doctor(&doctor(&user, department.id, speciality, place))
                .await?;
        }
    }
    store
        .insert_user(&person("operator1", Role::Operator, "运营一号".to_owned()))
        .await?;
    // Last, because it says that all the others are there.
    store
        .insert_user(&person("admin1", Role::Admin, "管理员".to_owned()))
        .await?;
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
