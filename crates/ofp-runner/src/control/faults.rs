//! Faults and keys of the platform.

use ofp_net::{Answer, Inbound};
use ofp_paynet::{ActiveFault, FaultScope};
use ofp_types::{ClientId, ConsentId, InteractionId, InvalidId, PlatformFault};
use serde_json::{Map, Value};

use super::{
    Control,
    bodies::{
        ErrorAnswer, FaultInjected, FaultList, FaultView, FaultWish, FaultsReset, KeyView, Rotation,
    },
    consents::json,
    problem::{Problem, body},
};

/// The faults that are switched on
#[utoipa::path(get, path = "/v1/faults", tag = "faults", operation_id = "listFaults",
    responses((status = 200, description = "the faults", body = FaultList),
        (status = 401, description = "no token", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn list_faults(control: &Control) -> Result<Answer, Problem> {
    let faults = control.world.paynet.faults().iter().map(fault_view).collect();
    Ok(json(200, &FaultList { faults }))
}

/// Switch a fault on
#[utoipa::path(post, path = "/v1/faults", tag = "faults", operation_id = "injectFault",
    request_body = FaultWish,
    responses((status = 201, description = "switched on", body = FaultInjected),
        (status = 400, description = "a fault that makes no sense", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn inject_fault(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let mut wish: Map<String, Value> = body(inbound)?;
    // left out and null are the same
    wish.retain(|_, value| !value.is_null());
    let scope = scope(&mut wish)?;
    let fault: PlatformFault = serde_json::from_value(wish.into())
        .map_err(|e| Problem::bad_request(format!("the body: {e}")))?;
    let id = control.world.paynet.inject(scope, fault);
    Ok(json(201, &FaultInjected { id: id.0 }))
}

/// Switch every fault off
#[utoipa::path(delete, path = "/v1/faults", tag = "faults", operation_id = "resetFaults",
    responses((status = 200, description = "switched off", body = FaultsReset),
        (status = 401, description = "no token", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn reset_faults(control: &Control) -> Result<Answer, Problem> {
    Ok(json(200, &FaultsReset { reset: control.world.paynet.reset_faults(None) }))
}

/// Give PayNet a new signing key
#[utoipa::path(post, path = "/v1/keys/rotate", tag = "faults", operation_id = "rotateKeys",
    request_body = Rotation,
    responses((status = 200, description = "the key in use now", body = KeyView),
        (status = 400, description = "not understood", body = ErrorAnswer),
        (status = 401, description = "no token", body = ErrorAnswer)),
    security(("token" = [])))]
pub(super) fn rotate_keys(control: &Control, inbound: &Inbound) -> Result<Answer, Problem> {
    let rotation: Rotation = body(inbound)?;
    let rotated = control.world.rotate_signing_key(rotation.alone);
    let kid = rotated.map_err(|e| Problem::new(500, "server_error", e.to_string()))?;
    Ok(json(200, &KeyView { kid: kid.to_string() }))
}

/// Exactly one of the four.
fn scope(wish: &mut Map<String, Value>) -> Result<FaultScope, Problem> {
    let mut take = |name: &str| match wish.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Problem::bad_request(format!("{name} must be a text, not {other}"))),
    };
    let named = (take("consent_id")?, take("client_id")?, take("interaction_id")?);
    let everyone = match wish.remove("everyone") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(other) => {
            return Err(Problem::bad_request(format!("everyone must be true, not {other}")));
        }
    };
    let wrong = |e: InvalidId| Problem::bad_request(e.to_string());
    match (named, everyone) {
        ((Some(id), None, None), false) => {
            ConsentId::parse(id).map(FaultScope::Consent).map_err(wrong)
        }
        ((None, Some(id), None), false) => {
            ClientId::parse(id).map(FaultScope::Client).map_err(wrong)
        }
        ((None, None, Some(id)), false) => {
            InteractionId::parse(id).map(FaultScope::Interaction).map_err(wrong)
        }
        ((None, None, None), true) => Ok(FaultScope::Everyone),
        _ => {
            let expected = "exactly one of consent_id, client_id, interaction_id and everyone";
            Err(Problem::bad_request(format!("a fault strikes {expected}")))
        }
    }
}

fn fault_view(active: &ActiveFault) -> FaultView {
    let scope = match &active.scope {
        FaultScope::Consent(id) => format!("consent {id}"),
        FaultScope::Client(id) => format!("client {id}"),
        FaultScope::Interaction(id) => format!("interaction {id}"),
        FaultScope::Everyone => "everyone".to_owned(),
    };
    let fault = serde_json::to_value(active.fault).unwrap_or_default();
    FaultView { id: active.id.0, scope, fault }
}
