"""Names that sound like a secret, and names that a shop must be able to say."""

import pytest

from notifier.exceptions import TemplateRefused
from notifier.rules.audiences import parse_path
from notifier.templating import readable, snapshot
from notifier.templating.compiler import compile_part
from notifier.templating.secret_names import is_called_secret, may_be_secret
from tests.app.models import Parcel

SECRET = """
    password PassWd passwd pass_word PASSWORD_HASH passphrase passcode pass-code password2 old_password
    secret client_secret clientSecret secretKey shared.secret Secret-Answer token auth_token accessToken
    X-CSRFToken csrfmiddlewaretoken refresh-token jwt nonce api_key api-key apiKey APIKey apikey API_KEY
    x-api-key access_key AccessKey auth_key signing_key encryption_key private_key private_key.x master_key
    ssh_key sshkey stripe_key webhook_key activation_key confirmation_key session_key sessionid session
    recovery_key hmacKey otp otp_code OTPCode totp totp_seed otpauth_url hotp pin PIN pin_code pin2 pin_hash
    user_pin get_pin_display pwd pwd_hash user-pwd hash salt reset_code resetCode RESET-CODE reset_code_2
    reset_code_hash login_code loginCode sign_in_code verification_code email_verification_code verify_code
    email_confirmation_code recovery_codes backup_code backupCodes scratch_codes security_code access_code
    auth_code authorization_code 2fa_code mfa_codes two_factor_code twoFactorCode one_time_code sms_code
    unlock_code code_verifier recovery_phrase seed_phrase seed signature hmac_signature webhook_signature
    extra_data extraData security_answer credential credentials aws_credentials cvv cvc iban authorization
    HTTP_AUTHORIZATION HTTP_COOKIE Set-Cookie
"""
ORDINARY = """
    code name key keys pk postal_code postalCode zip_code country_code currency_code language_code
    product_code promo_code discount_code voucher_code gift_code coupon-code referral_code tracking_code
    order_code sku_code color_code area_code bar_code qr_code status_code error_codes dress_code
    booking_code confirmation_code foreign_key primary_key natural_key sort_key cache_key product_key
    license_key public_key message_key s3_key keyboard keyword keynote monkey turkey hockey whiskey donkeys
    hashtag salty passport passenger compass bypass opt_out settings spinner pinned_at pinterest opinion
    pink secretary secretary_name seed_count sunflower_seed seeds email_signature signature_image signatures
    obsession possession dataset data extra answer question photo_kennel authorized_at author otter encoder
    codec decode barcode total email phone address first_name
"""


@pytest.mark.parametrize("name", SECRET.split())
def test_it_is_kept_back_by_whatever_way_it_is_read(name):
    assert may_be_secret(name)
    data = {"it": {name: "s3cret", "in": [{name: {"deep": "s3cret"}}], name.upper(): 1, "other": 1}}
    frozen = snapshot.freeze(data, {"it": {"": {}}})["it"]
    assert "s3cret" not in str(frozen)
    assert frozen["other"] == 1
    assert "s3cret" not in str(snapshot.freeze(data, {"it": {name: {"": {}}, "in": {"*": {name: {"": {}}}}}}))
    assert "s3cret" not in str(snapshot.freeze(data, {"it": {"items": {"*": {"*": {"": {}}}}}}))
    if name.isidentifier():
        with pytest.raises(TemplateRefused, match="may be a secret"):
            compile_part(f"{{{{ instance.{name} }}}}", html=False)
        with pytest.raises(ValueError, match="may be a secret"):
            parse_path(f"instance.{name}")


@pytest.mark.parametrize("name", ORDINARY.split())
def test_it_is_said(name):
    assert not may_be_secret(name)
    assert snapshot.freeze({"it": {name: "x"}}, {"it": {"": {}}}) == {"it": {name: "x"}}
    if name.isidentifier():
        compile_part(f"{{{{ instance.{name} }}}}", html=False)


MODELS = """
    DeviceToken APIKey SshKey WebauthnCredential Passkey ClientSecret OldPassword
"""
ORDINARY_MODELS = """
    TokenSale SecretSanta PasswordPolicy LicenseKey AnswerKey Key Session LoginCode Turkey User
"""


@pytest.mark.parametrize("name", (MODELS + ORDINARY_MODELS).split())
def test_a_model_is_called_by_the_last_word_of_its_name(name):
    assert is_called_secret(name) is (name in MODELS.split())


def test_a_name_may_be_as_long_as_it_likes():
    assert not may_be_secret("x" * 1_000_000)
    assert may_be_secret("password" + "x" * 1_000_000)


def test_no_name_that_a_model_offers_is_one():
    assert not any(map(may_be_secret, readable.readable_names(Parcel)))
